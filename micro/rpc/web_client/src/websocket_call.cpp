#include <utility>

#include <micro/loop/loop.hpp>

#include "call_support.hpp"
#include "close_status.hpp"
#include "http_exchange.hpp"
#include "websocket_impl.hpp"

namespace micro::web {
namespace {

using websocket::MessageKind;

class WebSocketStream final : public rpc::ClientStream {
 public:
  WebSocketStream(std::unique_ptr<WebSocket> socket, const Method& method, CallOptions options)
      : socket_(std::move(socket)),
        options_(std::move(options)),
        codec_(codec_of(options_.encoding)),
        name_(call_name(method)),
        takes_more_(method.kind == rpc::MethodKind::kClientStream || method.kind == rpc::MethodKind::kBidiStream) {}

  Task<Result<bool>> read(codec::MessageRef message) override {
    Result<std::optional<WebSocket::Message>> received = co_await socket_->read();
    if (!received) co_return fail(std::move(received.error()));
    if (!*received) {
      Result<void> end = result_of_close(socket_->close_code(), socket_->close_reason(), name_);
      if (!end) co_return fail(std::move(end.error()));
      co_return false;
    }
    if ((*received)->kind != kind()) {
      co_return fail(internal(name_ + ": the server answers in another kind of messages than it was asked in"));
    }
    if (Result<void> decoded = decode(codec_, (*received)->view(), message, name_); !decoded)
      co_return fail(std::move(decoded.error()));
    co_return true;
  }

  Task<Result<void>> write(codec::MessageRef message) override {
    if (!takes_more_) co_return fail(failed_precondition(name_ + ": nothing can be written any more on this stream"));
    co_return co_await send(message);
  }

  Task<Result<void>> send(codec::MessageRef message) {
    encoded_.clear();
    if (Result<void> done = encode(codec_, message, options_, name_, encoded_); !done) co_return done;
    co_return co_await put(kind(), encoded_.view());
  }

  Task<Result<void>> close_send() override {
    if (!std::exchange(takes_more_, false)) co_return Result<void>{};
    Result<void> done = co_await put(MessageKind::kText, std::string_view());
    // Why a call that is over has ended is told by read().
    if (!done && socket_->close_code() != websocket::close_code::kAbnormal) done = {};
    co_return done;
  }

  Task<Result<void>> finish(codec::MessageRef reply) override {
    if (Result<void> closed = co_await close_send(); !closed) co_return closed;
    co_return co_await read_only_reply(*this, reply, name_);
  }

 private:
  MessageKind kind() const noexcept { return options_.encoding == Encoding::kJson ? MessageKind::kText : MessageKind::kBinary; }

  // A call that has failed says so to the writer, too.
  Task<Result<void>> put(MessageKind kind_of_message, std::string_view data) {
    Result<void> done = co_await socket_->write(kind_of_message, data);
    if (done || socket_->close_code() == websocket::close_code::kAbnormal) co_return done;
    Result<void> end = result_of_close(socket_->close_code(), socket_->close_reason(), name_);
    if (!end) co_return end;
    co_return fail(cancelled(name_ + ": the service has ended the call and reads no more"));
  }

  std::unique_ptr<WebSocket> socket_;
  CallOptions options_;
  const codec::Codec& codec_;
  std::string name_;
  bool takes_more_;
  Buffer encoded_;
};

Task<Result<std::unique_ptr<rpc::ClientStream>>> start(Context& context, std::unique_ptr<net::Stream> stream, Method method,
                                                       codec::MessageRef request, CallOptions options) {
  const TimePoint now = stream->loop().now();
  const auto deadline = call_deadline(context, options, now);
  Result<Metadata> headers = call_headers(context, deadline, now);
  if (!headers) co_return fail(std::move(headers.error()).with_context(call_name(method)));
  WebSocketOptions how;
  how.headers = std::move(*headers);
  how.subprotocols = {options.encoding == Encoding::kJson ? "micro.json" : "micro.proto"};
  how.deflate = options.deflate;
  how.max_message = options.max_receive_message_size;
  how.open_timeout = options.open_timeout;
  how.keepalive_interval = options.keepalive_interval;
  how.keepalive_timeout = options.keepalive_timeout;
  auto socket = co_await WebSocket::Impl::open(context, std::move(stream), call_target(method), std::move(how), deadline);
  if (!socket) co_return fail(std::move(socket.error()));
  auto call = std::make_unique<WebSocketStream>(std::move(*socket), method, std::move(options));
  if (request) {
    if (Result<void> sent = co_await call->send(request); !sent) co_return fail(std::move(sent.error()));
  }
  co_return call;
}

}  // namespace

Task<Result<std::unique_ptr<rpc::ClientStream>>> open_websocket(Context& context, std::unique_ptr<net::Stream> stream,
                                                                Method method, codec::MessageRef request, CallOptions options) {
  return start(context, std::move(stream), std::move(method), request, std::move(options));
}

Task<Result<std::unique_ptr<rpc::ClientStream>>> open_websocket(Context& context, Method method, codec::MessageRef request,
                                                                CallOptions options) {
  auto stream = co_await dial(context, method.target, options.tls, options.open_timeout);
  if (!stream) co_return fail(std::move(stream.error()));
  co_return co_await start(context, std::move(*stream), std::move(method), request, std::move(options));
}

}  // namespace micro::web
