#include <micro/client/client.hpp>

#include <algorithm>
#include <atomic>
#include <vector>

#include <micro/coro/when_all.hpp>
#include <micro/loop/loop.hpp>

#include "attempts.hpp"
#include "connection.hpp"
#include "mucp_attempt.hpp"
#include "mucp_stream.hpp"
#include "slot.hpp"
#include "stream_call.hpp"
#include "unary_exchange.hpp"

namespace micro::rpc {

using client::Attempts;
using client::CallInfo;
using client::MucpAttempt;
using client::MucpStream;
using client::Slot;
using client::StreamCall;
using client::UnaryExchange;

namespace {

// What a caller asked for.
struct Target {
  std::string_view service;  // in the registry
  std::string_view proto_service;
  std::string_view method;
  const CallOptions& options;
};

Error stopped() { return cancelled("the client was stopped: it makes no more calls"); }

std::string_view content_type(const Slot& slot, const Target& target) {
  const std::string& own = target.options.mucp_content_type;
  return own.empty() ? slot.options().mucp_content_type : own;
}

CallInfo make_info(Slot& slot, Context& context, const Target& target, Duration timeout) {
  CallInfo info{.slot = slot,
                .context = context,
                .service = target.proto_service,
                .method = target.method,
                .registry_name = target.service,
                .mucp_content_type = content_type(slot, target),
                .begun = slot.loop().now(),
                .deadline = context.deadline()};
  if (timeout > Duration::zero() && (!info.deadline || info.begun + timeout < *info.deadline))
    info.deadline = info.begun + timeout;
  return info;
}

Result<grpc::Compression> wanted_compression(const CallOptions& options) {
  if (options.compression == "identity") [[likely]]
    return grpc::Compression::kIdentity;
  return grpc::parse_encoding(options.compression, Code::kInvalidArgument);
}

}  // namespace

struct Client::Impl {
  Impl(LoopGroup& l, registry::Cache* registry, ClientOptions o, const MiddlewareChain& c)
      : loops(l), options(std::move(o)), chain(c) {
    for (std::size_t i = 0; i < loops.size(); ++i) seats.push_back(std::make_unique<Seat>(loops.loop(i), registry, options));
  }

  struct Seat {
    Seat(Loop& loop, registry::Cache* registry, const ClientOptions& options) : slot(loop, registry, options) {}
    Slot slot;
    // Whether a call was ever made here: a loop that nobody used need not run for stop().
    std::atomic<bool> used = false;
  };

  Result<Slot*> enter();
  Task<Reply> unary(Context& context, Target target, codec::MessageRef request, codec::MessageRef reply);
  Task<Reply> chained(Context& context, Target target, codec::MessageRef request, codec::MessageRef reply);
  Task<Result<std::unique_ptr<ClientStream>>> open(Context& context, Target target, MethodKind kind, codec::MessageRef request);

  LoopGroup& loops;
  const ClientOptions options;
  const MiddlewareChain& chain;
  std::vector<std::unique_ptr<Seat>> seats;
  std::atomic<bool> stopping = false;
};

Result<Slot*> Client::Impl::enter() {
  const std::size_t index = loops.current_index();
  if (index >= seats.size()) [[unlikely]] {
    return fail(
        failed_precondition("a call was made on a thread that is no loop of this client's group: make calls from coroutines "
                            "that run on one of its loops (co_await loop.schedule())"));
  }
  Seat& seat = *seats[index];
  // In this order, and stop() in the other: one of the two sees the other.
  if (!seat.used.load(std::memory_order_relaxed)) [[unlikely]]
    seat.used = true;
  if (stopping) [[unlikely]]
    return fail(stopped());
  return &seat.slot;
}

Task<Reply> Client::Impl::unary(Context& context, Target target, codec::MessageRef request, codec::MessageRef reply) {
  Result<Slot*> entered = enter();
  if (!entered) co_return fail(std::move(entered.error()));
  Slot& slot = **entered;
  const Gate::Holder inside = slot.calls.try_enter();
  if (!inside) co_return fail(stopped());
  slot.counters.calls.add();
  const CallOptions& wanted = target.options;
  CallInfo info = make_info(slot, context, target, wanted.timeout > Duration::zero() ? wanted.timeout : options.request_timeout);
  Result<grpc::Compression> compression = wanted_compression(wanted);
  if (!compression) co_return fail(std::move(compression.error()));
  info.compression = *compression;

  Attempts attempts(info, target.service, wanted);
  while (true) {
    client::Connection* connection = attempts.begin();
    while (connection == nullptr && attempts.mucp() == nullptr) {
      Result<void> ready = co_await attempts.ready();
      if (!ready) {
        slot.counters.failures.add();
        co_return ready;
      }
      connection = attempts.take();
    }
    std::optional<Error> error;
    retry::Progress progress{};
    bool answered = false;
    if (connection != nullptr) [[likely]] {
      UnaryExchange exchange(info, reply);
      exchange.start(*connection, request);
      co_await exchange;
      attempts.mark(exchange.result());
      if (exchange.result()) [[likely]]
        co_return exchange.result();
      error = exchange.result().error();
      progress = exchange.progress();
      answered = exchange.answered();
    } else {
      MucpAttempt attempt(info, *attempts.mucp());
      Result<void> done = co_await attempt.run(request, reply);
      attempts.mark(done);
      if (done) co_return done;
      error = std::move(done.error());
      progress = attempt.progress();
      answered = attempt.answered();
    }
    if (!attempts.again(error->code(), progress)) {
      slot.counters.failures.add();
      co_return fail(attempts.final_error(*error, answered));
    }
    if (attempts.wait() == Duration::zero()) continue;
    Result<void> waited = co_await attempts.pause();
    if (!waited) {
      slot.counters.failures.add();
      co_return waited;
    }
  }
}

Task<Reply> Client::Impl::chained(Context& context, Target target, codec::MessageRef request, codec::MessageRef reply) {
  struct Last final : CallHandler {
    Last(Impl& i, const Target& t) : impl(i), target(t) {}
    Task<Reply> handle(Context& c, Call& call) override { return impl.unary(c, target, call.request, call.reply); }
    Impl& impl;
    const Target target;
  };
  Last last(*this, target);
  Call call;
  call.service = target.proto_service;
  call.method = target.method;
  call.idempotent = target.options.idempotent;
  call.request = request;
  call.reply = reply;
  co_return co_await chain.run(context, call, last);
}

Task<Result<std::unique_ptr<ClientStream>>> Client::Impl::open(Context& context, Target target, MethodKind kind,
                                                               codec::MessageRef request) {
  Result<Slot*> entered = enter();
  if (!entered) co_return fail(std::move(entered.error()));
  Slot& slot = **entered;
  const Gate::Holder inside = slot.calls.try_enter();
  if (!inside) co_return fail(stopped());
  slot.counters.calls.add();
  Result<grpc::Compression> compression = wanted_compression(target.options);
  if (!compression) co_return fail(std::move(compression.error()));
  // Opening has the time of any call; the stream itself only what somebody gave it.
  const Duration timeout = target.options.timeout;
  const CallInfo opening = make_info(slot, context, target, timeout > Duration::zero() ? timeout : options.request_timeout);
  Attempts attempts(opening, target.service, target.options);
  while (true) {
    client::Connection* connection = attempts.begin();
    while (connection == nullptr && attempts.mucp() == nullptr) {
      Result<void> ready = co_await attempts.ready();
      if (!ready) {
        slot.counters.failures.add();
        co_return fail(std::move(ready.error()));
      }
      connection = attempts.take();
    }
    Gate::Holder holder = slot.calls.try_enter();
    if (!holder) co_return fail(stopped());
    CallInfo info = make_info(slot, context, target, timeout);
    info.compression = *compression;
    const codec::MessageRef first = kind == MethodKind::kServerStream ? request : codec::MessageRef();
    if (connection == nullptr) {
      auto mucp = std::make_unique<MucpStream>(info, *attempts.mucp(), kind, std::move(holder));
      const Result<void> begun = co_await mucp->start(opening, first);
      attempts.mark(begun);
      if (begun) co_return std::unique_ptr<ClientStream>(std::move(mucp));
      if (attempts.again(begun.error().code(), mucp->progress())) continue;
      slot.counters.failures.add();
      co_return fail(attempts.final_error(begun.error(), false));
    }
    auto stream = std::make_unique<StreamCall>(info, kind, std::move(holder));
    const bool opened = stream->start(*connection, first);
    attempts.mark(stream->result());
    if (opened) co_return std::unique_ptr<ClientStream>(std::move(stream));
    const Error error = stream->result().error();
    if (!attempts.again(error.code(), stream->progress())) {
      slot.counters.failures.add();
      co_return fail(attempts.final_error(error, false));
    }
  }
}

Client::Client() = default;
Client::Client(LoopGroup& loops, registry::Cache* registry, ClientOptions options) { start(loops, registry, std::move(options)); }
Client::~Client() = default;

void Client::start(LoopGroup& loops, registry::Cache* registry, ClientOptions options) {
  impl_ = std::make_unique<Impl>(loops, registry, std::move(options), chain_);
}

void Client::use(std::shared_ptr<Middleware> middleware) { chain_.add(std::move(middleware)); }

const ClientOptions& Client::options() const noexcept {
  static const ClientOptions defaults;
  return impl_ ? impl_->options : defaults;
}

namespace {

Error not_started() { return failed_precondition("the client has no loops yet: start its service before the first call"); }
Task<Reply> refuse() { co_return fail(not_started()); }

}  // namespace

Task<Reply> Client::call(Context& context, std::string_view service, std::string_view proto_service, std::string_view method,
                         codec::MessageRef request, codec::MessageRef reply, const CallOptions& options) {
  if (!impl_) [[unlikely]]
    return refuse();
  const Target target{service, proto_service, method, options};
  if (impl_->chain.size() == 0) return impl_->unary(context, target, request, reply);
  return impl_->chained(context, target, request, reply);
}

Task<Result<std::unique_ptr<ClientStream>>> Client::stream(Context& context, std::string_view service,
                                                           std::string_view proto_service, std::string_view method,
                                                           MethodKind kind, codec::MessageRef request,
                                                           const CallOptions& options) {
  if (!impl_) [[unlikely]]
    co_return fail(not_started());
  const Target target{service, proto_service, method, options};
  if (impl_->chain.size() == 0) co_return co_await impl_->open(context, target, kind, request);
  struct Last final : CallHandler {
    Last(Impl& i, const Target& t) : impl(i), target(t) {}
    Task<Reply> handle(Context& c, Call& call) override {
      Result<std::unique_ptr<ClientStream>> made = co_await impl.open(c, target, call.kind, call.request);
      if (!made) co_return fail(std::move(made.error()));
      opened = std::move(*made);
      co_return Reply{};
    }
    Impl& impl;
    const Target target;
    std::unique_ptr<ClientStream> opened;
  };
  Last last(*impl_, target);
  Call call;
  call.service = proto_service;
  call.method = method;
  call.kind = kind;
  call.idempotent = options.idempotent;
  call.request = request;
  Reply done = co_await impl_->chain.run(context, call, last);
  if (!done) co_return fail(std::move(done.error()));
  if (!last.opened) co_return fail(internal(std::string(method) + ": a middleware answered in place of the stream"));
  co_return std::move(last.opened);
}

namespace {

Task<void> stop_slot(Slot& slot, TimePoint deadline, Loop* home) {
  co_await slot.loop().schedule();
  co_await slot.stop(deadline);
  if (home != nullptr) co_await home->schedule();
}

}  // namespace

Task<void> Client::stop(TimePoint deadline) {
  if (!impl_) co_return;
  impl_->stopping = true;
  std::vector<Task<void>> stops;
  for (const auto& seat : impl_->seats) {
    if (seat->used) stops.push_back(stop_slot(seat->slot, deadline, Loop::current()));
  }
  co_await when_all(std::move(stops));
}

ClientCounters Client::counters() const {
  ClientCounters sum;
  if (!impl_) return sum;
  for (const auto& seat : impl_->seats) {
    const client::SlotCounters& counters = seat->slot.counters;
    sum.calls += counters.calls.get();
    sum.attempts += counters.attempts.get();
    sum.retries += counters.retries.get();
    sum.failures += counters.failures.get();
    sum.connects += counters.connects.get();
    sum.open_connections += counters.open_connections.get();
  }
  return sum;
}

}  // namespace micro::rpc
