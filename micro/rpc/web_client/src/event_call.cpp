#include <stdexcept>
#include <utility>

#include <micro/http/error.hpp>
#include <micro/http/status.hpp>
#include <micro/sse/parser.hpp>

#include "call_support.hpp"
#include "event_source.hpp"

namespace micro::web {
namespace {

// The body of an HTTP error whose status is the one its code implies, since no other one came.
Error error_of(std::string_view json) {
  const Error guess = http::error_from_response(http::status::kInternalServerError, json);
  return http::error_from_response(http::status_from(guess.code()), json);
}

class EventCall final : public rpc::ClientStream {
 public:
  EventCall(Context& context, std::unique_ptr<net::Stream> stream, const Method& method, CallOptions options,
            std::optional<TimePoint> deadline)
      : options_(std::move(options)),
        name_(call_name(method)),
        source_(context, std::move(stream), call_target(method), deadline),
        parser_(sse::Limits{.max_event = options_.max_receive_message_size}) {}

  Task<Result<void>> start(Context& context, const Target& target, Metadata headers, codec::MessageRef request) {
    Buffer body;
    if (Result<void> done = encode(codec_, request, options_, name_, body); !done) co_return done;
    headers.add("Content-Type", codec_.content_type());
    Result<bool> opened = co_await source_.open(context, target, "POST", headers, body.view(), options_.open_timeout);
    if (!opened) co_return fail(std::move(opened.error()));
    if (!*opened) co_return fail(internal(name_ + ": the answer is empty (HTTP status 204)"));
    co_return Result<void>{};
  }

  Task<Result<bool>> read(codec::MessageRef message) override {
    if (result_) co_return *result_;
    Result<bool> outcome = co_await read_event(message);
    if (!outcome || !*outcome) result_ = outcome;
    co_return outcome;
  }

  Task<Result<void>> write(codec::MessageRef) override {
    co_return fail(failed_precondition(name_ + ": nothing can be written any more on this stream"));
  }
  Task<Result<void>> close_send() override { co_return Result<void>{}; }
  Task<Result<void>> finish(codec::MessageRef reply) override { return read_only_reply(*this, reply, name_); }

 private:
  Task<Result<bool>> read_event(codec::MessageRef message) {
    const Duration idle = options_.keepalive_interval > Duration::zero()
                              ? options_.keepalive_interval + options_.keepalive_timeout
                              : Duration::zero();
    while (true) {
      Result<bool> more = co_await source_.next(parser_, idle);
      if (!more) co_return fail(std::move(more.error()));
      if (!*more) co_return fail(unavailable(name_ + ": the answer was cut off before its end"));
      const sse::ReceivedEvent& event = parser_.event();
      if (event.type == "end") co_return false;
      if (event.type == "error") co_return fail(error_of(event.data));
      // Whatever else may be added to the mapping is not for us.
      if (event.type != "message") continue;
      if (Result<void> decoded = decode(codec_, event.data, message, name_); !decoded) co_return fail(std::move(decoded.error()));
      co_return true;
    }
  }

  CallOptions options_;
  const codec::Codec& codec_ = codec_of(Encoding::kJson);
  std::string name_;
  EventSource source_;
  sse::Parser parser_;
  std::optional<Result<bool>> result_;  // how it ended
};

Task<Result<std::unique_ptr<rpc::ClientStream>>> start(Context& context, std::unique_ptr<net::Stream> stream, Method method,
                                                       codec::MessageRef request, CallOptions options) {
  const TimePoint now = stream->loop().now();
  const auto deadline = call_deadline(context, options, now);
  Result<Metadata> headers = call_headers(context, deadline, now);
  if (!headers) co_return fail(std::move(headers.error()).with_context(call_name(method)));
  const Target target = call_target(method);
  auto call = std::make_unique<EventCall>(context, std::move(stream), method, std::move(options), deadline);
  if (Result<void> started = co_await call->start(context, target, std::move(*headers), request); !started) {
    co_return fail(std::move(started.error()));
  }
  co_return call;
}

Task<Result<std::unique_ptr<rpc::ClientStream>>> dial_and_start(Context& context, Method method, codec::MessageRef request,
                                                                CallOptions options) {
  auto stream = co_await dial(context, method.target, options.tls, options.open_timeout);
  if (!stream) co_return fail(std::move(stream.error()));
  co_return co_await start(context, std::move(*stream), std::move(method), request, std::move(options));
}

// A broken contract shows when the task is made, not when it is awaited.
void check(const Method& method, codec::MessageRef request, const CallOptions& options) {
  if (method.kind != rpc::MethodKind::kServerStream || options.encoding != Encoding::kJson || !request)
    throw std::logic_error("server-sent events carry server-streaming calls with a request, in JSON; use a WebSocket for others");
}

}  // namespace

Task<Result<std::unique_ptr<rpc::ClientStream>>> open_events(Context& context, std::unique_ptr<net::Stream> stream, Method method,
                                                             codec::MessageRef request, CallOptions options) {
  check(method, request, options);
  return start(context, std::move(stream), std::move(method), request, std::move(options));
}

Task<Result<std::unique_ptr<rpc::ClientStream>>> open_events(Context& context, Method method, codec::MessageRef request,
                                                             CallOptions options) {
  check(method, request, options);
  return dial_and_start(context, std::move(method), request, std::move(options));
}

}  // namespace micro::web
