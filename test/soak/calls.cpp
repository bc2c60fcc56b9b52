#include "calls.hpp"

#include <utility>

#include "text.hpp"

namespace soak {
namespace {

using micro::Context;
using micro::Result;
using micro::Task;
using micro::rpc::MethodKind;

constexpr const char* kKinds[] = {"echo", "count", "sum", "chat"};
constexpr const char* kCarriers[] = {"grpc", "websocket", "events"};
constexpr const char* kMethods[] = {"Echo", "Count", "Sum", "Chat"};
constexpr MethodKind kMethodKinds[] = {MethodKind::kUnary, MethodKind::kServerStream, MethodKind::kClientStream,
                                       MethodKind::kBidiStream};

void expect(bool right, const char* what) {
  if (!right) throw Wrong(what);
}

void expect_pong(const Pong& pong, const Plan& plan, std::uint32_t index) {
  expect(pong.id() == plan.id, "the answer to another request");
  expect(pong.index() == index, "a message out of order");
  expect(pong.text().size() == plan.size && is_text_of(plan.id, pong.text()), "another text");
}

Ping ping(const Plan& plan, std::uint32_t index) {
  Ping ping;
  ping.set_id(plan.id);
  ping.set_index(index);
  ping.set_text(text_of(plan.id, plan.size));
  ping.set_reply_size(static_cast<std::uint32_t>(plan.size));
  ping.set_count(plan.count);
  return ping;
}

Task<Result<void>> read_all(micro::ReadStream<Pong> stream, const Plan& plan) {
  Pong pong;
  for (std::uint32_t i = 0;; ++i) {
    if (plan.drop && i > plan.count / 2) co_return Result<void>{};
    auto more = co_await stream.read(pong);
    if (!more) co_return micro::fail(std::move(more.error()));
    if (!*more) {
      expect(i == plan.count, "a good end before the last message");
      co_return Result<void>{};
    }
    expect_pong(pong, plan, i);
  }
}

Task<Result<void>> write_all(micro::WriteStream<Pong, Ping> stream, const Plan& plan) {
  for (std::uint32_t i = 0; i <= plan.count; ++i) {
    if (plan.drop && i > plan.count / 2) co_return Result<void>{};
    const Ping message = ping(plan, i);
    auto written = co_await stream.write(message);
    if (!written) co_return micro::fail(std::move(written.error()));
  }
  auto reply = co_await stream.finish();
  if (!reply) co_return micro::fail(std::move(reply.error()));
  expect_pong(*reply, plan, plan.count + 1);
  co_return Result<void>{};
}

Task<Result<void>> talk(micro::BidiStream<Pong, Ping> stream, const Plan& plan) {
  Pong pong;
  for (std::uint32_t i = 0; i < plan.count; ++i) {
    if (plan.drop && i > plan.count / 2) co_return Result<void>{};
    const Ping message = ping(plan, i);
    auto written = co_await stream.write(message);
    if (!written) co_return micro::fail(std::move(written.error()));
    auto more = co_await stream.read(pong);
    if (!more) co_return micro::fail(std::move(more.error()));
    expect(*more, "a good end before the last message");
    expect_pong(pong, plan, i);
  }
  auto closed = co_await stream.close_send();
  if (!closed) co_return closed;
  auto more = co_await stream.read(pong);
  if (!more) co_return micro::fail(std::move(more.error()));
  expect(!*more, "a message behind the last");
  co_return Result<void>{};
}

}  // namespace

const char* to_string(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
const char* to_string(Carrier carrier) { return kCarriers[static_cast<std::size_t>(carrier)]; }

Calls::Calls(micro::rpc::Client& client, std::vector<std::string> addresses, micro::web::CallOptions web, bool secure)
    : service_(client), web_(std::move(web)) {
  for (const std::string& address : addresses) {
    auto target = micro::web::Target::parse(address);
    if (!target) throw std::runtime_error(target.error().to_string());
    target->secure = secure;
    targets_.push_back(std::move(*target));
  }
  options_.addresses = std::move(addresses);
  idempotent_ = options_;
  idempotent_.idempotent = true;
}

Task<Result<void>> Calls::make(Context& context, const Plan& plan) {
  switch (plan.kind) {
    case Kind::kEcho:
      return echo(context, plan);
    case Kind::kCount:
      return count(context, plan);
    case Kind::kSum:
      return sum(context, plan);
    case Kind::kChat:
      return chat(context, plan);
  }
  std::unreachable();
}

Task<Result<Calls::Stream>> Calls::open_web(Context& context, const Plan& plan, const Ping* request) {
  micro::web::Method method;
  method.target = targets_[plan.target];
  method.service = "soak.Soak";
  method.method = kMethods[static_cast<std::size_t>(plan.kind)];
  method.kind = kMethodKinds[static_cast<std::size_t>(plan.kind)];
  micro::web::CallOptions options = web_;
  options.encoding = plan.binary ? micro::web::Encoding::kProto : micro::web::Encoding::kJson;
  const micro::codec::MessageRef message = request != nullptr ? micro::codec::ref(*request) : micro::codec::MessageRef();
  if (plan.carrier == Carrier::kEvents) return micro::web::open_events(context, std::move(method), message, std::move(options));
  return micro::web::open_websocket(context, std::move(method), message, std::move(options));
}

Task<Result<void>> Calls::echo(Context& context, const Plan& plan) {
  Ping request = ping(plan, 0);
  request.set_wait_milliseconds(plan.wait);
  Pong reply;
  if (plan.carrier == Carrier::kGrpc) {
    auto answer = co_await service_.Echo(context, request, idempotent_);
    if (!answer) co_return micro::fail(std::move(answer.error()));
    reply = std::move(*answer);
  } else {
    auto stream = co_await open_web(context, plan, &request);
    if (!stream) co_return micro::fail(std::move(stream.error()));
    Result<void> done = co_await (*stream)->finish(micro::codec::ref(reply));
    if (!done) co_return done;
  }
  expect_pong(reply, plan, 0);
  co_return Result<void>{};
}

Task<Result<void>> Calls::count(Context& context, const Plan& plan) {
  const Ping request = ping(plan, 0);
  if (plan.carrier == Carrier::kGrpc) {
    auto stream = co_await service_.Count(context, request, options_);
    if (!stream) co_return micro::fail(std::move(stream.error()));
    co_return co_await read_all(std::move(*stream), plan);
  }
  auto stream = co_await open_web(context, plan, &request);
  if (!stream) co_return micro::fail(std::move(stream.error()));
  micro::ReadStream<Pong> typed(std::move(*stream));
  co_return co_await read_all(std::move(typed), plan);
}

Task<Result<void>> Calls::sum(Context& context, const Plan& plan) {
  if (plan.carrier == Carrier::kGrpc) {
    auto stream = co_await service_.Sum(context, options_);
    if (!stream) co_return micro::fail(std::move(stream.error()));
    co_return co_await write_all(std::move(*stream), plan);
  }
  auto stream = co_await open_web(context, plan, nullptr);
  if (!stream) co_return micro::fail(std::move(stream.error()));
  micro::WriteStream<Pong, Ping> typed(std::move(*stream));
  co_return co_await write_all(std::move(typed), plan);
}

Task<Result<void>> Calls::chat(Context& context, const Plan& plan) {
  if (plan.carrier == Carrier::kGrpc) {
    auto stream = co_await service_.Chat(context, options_);
    if (!stream) co_return micro::fail(std::move(stream.error()));
    co_return co_await talk(std::move(*stream), plan);
  }
  auto stream = co_await open_web(context, plan, nullptr);
  if (!stream) co_return micro::fail(std::move(stream.error()));
  micro::BidiStream<Pong, Ping> typed(std::move(*stream));
  co_return co_await talk(std::move(typed), plan);
}

}  // namespace soak
