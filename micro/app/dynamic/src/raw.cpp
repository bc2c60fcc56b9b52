#include "raw.hpp"

#include <algorithm>
#include <utility>

#include <micro/codecs/bytes.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/registry/cache.hpp>

namespace micro::dynamic {
namespace {

struct Name {
  std::string_view service;
  std::string_view method;
};

// "Greeter.Hello", "greeter.Greeter/Hello".
Result<Name> parse_name(std::string_view service, std::string_view endpoint) {
  if (endpoint.starts_with('/')) endpoint.remove_prefix(1);
  std::size_t cut = endpoint.find('/');
  if (cut == std::string_view::npos) cut = endpoint.rfind('.');
  if (cut == std::string_view::npos || cut == 0 || cut + 1 == endpoint.size()) {
    return fail(
        invalid_argument("endpoint \"" + std::string(endpoint) + "\" of service \"" + std::string(service) +
                         "\": write it as Greeter.Hello; its nodes speak go-micro's RPC, which does not say what there is"));
  }
  return Name{endpoint.substr(0, cut), endpoint.substr(cut + 1)};
}

rpc::CallOptions as_json(const rpc::CallOptions& options) {
  rpc::CallOptions wanted = options;
  wanted.mucp_content_type = "application/json";
  return wanted;
}

// go-micro ends a document with a line feed.
void trim(std::string& json) {
  while (!json.empty() && (json.back() == '\n' || json.back() == '\r')) json.pop_back();
}

class RawPump {
 public:
  RawPump(Context& context, rpc::MessageStream& stream, JsonSource& source, JsonSink& sink)
      : context_(context), stream_(stream), source_(source), sink_(sink) {}

  Task<Result<void>> run() {
    co_await when_all(send(), receive());
    co_return std::move(*result_);
  }

 private:
  Task<void> send() {
    while (true) {
      Result<std::optional<std::string>> next = co_await source_.next(context_);
      if (!next) co_return end(fail(std::move(next.error())));
      if (!*next) break;
      ++sent_;
      Result<void> written = co_await stream_.write(codec::ref(**next));
      if (!written) co_return end(std::move(written));
    }
    all_sent_ = true;
    if (sent_ == 0) end(fail(invalid_argument("no request message was given")));
    if (answered()) end({});
  }

  Task<void> receive() {
    while (true) {
      std::string reply;
      const Result<bool> more = co_await stream_.read(codec::ref(reply));
      if (!more) co_return end(fail(more.error()));
      if (!*more) co_return end({});
      ++received_;
      trim(reply);
      Result<void> put = co_await sink_.put(context_, std::move(reply));
      if (!put) co_return end(std::move(put));
      if (answered()) co_return end({});
    }
  }

  bool answered() const noexcept { return all_sent_ && sent_ > 1 && received_ >= sent_; }

  // The first end counts; it ends what the other side waits for.
  void end(Result<void> result) {
    if (result_) return;
    result_ = std::move(result);
    context_.cancel(cancelled("the call has ended"));
  }

  Context& context_;
  rpc::MessageStream& stream_;
  JsonSource& source_;
  JsonSink& sink_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  bool all_sent_ = false;
  std::optional<Result<void>> result_;
};

}  // namespace

Task<bool> speaks_mucp_only(Context& context, registry::Cache& registry, std::string_view service) {
  const auto nodes = co_await registry.lookup(context, service);
  if (!nodes || (*nodes)->candidates.empty()) co_return false;
  co_return std::ranges::all_of((*nodes)->candidates, &rpc::speaks_mucp_only, &registry::Candidate::node);
}

Task<Result<std::string>> call_raw(Context& context, rpc::Client& client, std::string_view service, std::string_view endpoint,
                                   std::string_view json, const rpc::CallOptions& options) {
  const Result<Name> name = parse_name(service, endpoint);
  if (!name) co_return fail(name.error());
  const rpc::CallOptions wanted = as_json(options);
  const std::string request(json.empty() ? "{}" : json);
  std::string reply;
  rpc::Reply done =
      co_await client.call(context, service, name->service, name->method, codec::ref(request), codec::ref(reply), wanted);
  if (!done) co_return fail(std::move(done.error()));
  trim(reply);
  co_return reply;
}

Task<Result<void>> stream_raw(Context& context, rpc::Client& client, std::string_view service, std::string_view endpoint,
                              JsonSource& source, JsonSink& sink, const rpc::CallOptions& options) {
  const Result<Name> name = parse_name(service, endpoint);
  if (!name) co_return fail(name.error());
  const rpc::CallOptions wanted = as_json(options);
  const codec::MessageRef none;
  Context child(context);
  auto opened = co_await client.stream(child, service, name->service, name->method, rpc::MethodKind::kBidiStream, none, wanted);
  if (!opened) co_return fail(std::move(opened.error()));
  RawPump pump(child, **opened, source, sink);
  co_return co_await pump.run();
}

}  // namespace micro::dynamic
