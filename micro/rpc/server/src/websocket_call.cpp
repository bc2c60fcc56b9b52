#include "websocket_call.hpp"

#include <utility>

#include <micro/duration/duration.hpp>
#include <micro/http/status.hpp>

#include "worker.hpp"

namespace micro::rpc {
namespace {

constexpr std::string_view kJson = "micro.json";
constexpr std::string_view kProto = "micro.proto";

// The closing code of a failed call is this much more than its gRPC code.
constexpr std::uint16_t kFailedCall = 4000;

bool is_half_close(const WebSocketPipe::Message& message) {
  return message.kind == websocket::MessageKind::kText && message.payload.empty();
}

}  // namespace

void WebSocketCall::begin(HttpExchange& exchange, HttpHead& head) {
  take(exchange, head);
  // HTTP/1.1 switches behind the end of the request; on HTTP/2 the stream goes on.
  if (request_.method == http::Method::kConnect) open();
}

void WebSocketCall::receive(std::string_view data, bool end) {
  if (pipe_.is_open()) {
    pipe_.receive(data, end);
    return take_up();
  }
  exchange_->consumed(data.size());  // a body, which has no meaning here
  if (end) open();
}

void WebSocketCall::writable() {
  HttpMethodCall::writable();
  if (!pipe_.is_open()) return;
  pipe_.pump();
  take_up();
}

void WebSocketCall::open() {
  Result<void> done = take_headers();
  if (done) done = take_timeout();
  WebSocketPipe::Options options;
  options.subprotocols = {std::string(kJson), std::string(kProto)};
  options.max_message_size = worker_.state().options.max_receive_message_size;
  if (done) done = pipe_.open(*exchange_, request_, options);
  if (!done) return refuse(done.error());
  if (pipe_.subprotocol() == kJson) kind_ = websocket::MessageKind::kText;
  if (pipe_.subprotocol() == kProto) kind_ = websocket::MessageKind::kBinary;
  if (reads_stream()) start();
}

// "?timeout=5s", for browsers, which cannot set headers.
Result<void> WebSocketCall::take_timeout() {
  const std::optional<std::string> text = request_.query_value("timeout");
  if (!text) return {};
  const Result<Duration> timeout = parse_duration(*text);
  if (!timeout) return fail(invalid_argument("the query parameter timeout: " + timeout.error().message()));
  context_.set_timeout(*timeout, worker_.loop().now());
  return {};
}

// Looks at what has come. May end the call.
void WebSocketCall::take_up() {
  if (reads_stream()) {
    wake_reader();
  } else if (pipe_.has_message()) {
    const WebSocketPipe::Message message = pipe_.take();
    if (called_ && is_half_close(message)) return;
    if (called_) {
      return context_.cancel(invalid_argument("more than one request message for " + endpoint().path() + ", which takes one"));
    }
    if (is_half_close(message)) {
      return refuse(invalid_argument("no request message for " + endpoint().path() + ", which takes one"));
    }
    if (Result<void> decoded = decode(message, request_message()); !decoded) return refuse(decoded.error());
    called_ = true;
    if (pipe_.over()) return refuse(*pipe_.over());
    return start();
  }
  if (pipe_.over()) context_.cancel(*pipe_.over());
}

Result<void> WebSocketCall::decode(const WebSocketPipe::Message& message, codec::MessageRef into) {
  if (!kind_) kind_ = message.kind;
  const codec::Codec& codec = message.kind == websocket::MessageKind::kText ? *worker_.state().json : *worker_.state().proto;
  return codec.unmarshal(message.payload.view(), into);
}

Result<HttpMethodCall::Next> WebSocketCall::next(codec::MessageRef into) {
  if (half_closed_) return Next::kEnd;
  if (!pipe_.has_message()) {
    if (pipe_.over()) return fail(*pipe_.over());
    return Next::kNothingYet;
  }
  const WebSocketPipe::Message message = pipe_.take();
  if (is_half_close(message)) {
    half_closed_ = true;
    return Next::kEnd;
  }
  if (Result<void> decoded = decode(message, into); !decoded) return std::unexpected(std::move(decoded.error()));
  return Next::kMessage;
}

Result<void> WebSocketCall::send_message(codec::MessageRef message) {
  const websocket::MessageKind kind = kind_.value_or(websocket::MessageKind::kText);
  const codec::Codec& codec = kind == websocket::MessageKind::kText ? *worker_.state().json : *worker_.state().proto;
  Buffer& out = worker_.encode_buffer();
  out.clear();
  if (Result<void> encoded = codec.marshal(message, out); !encoded) return encoded;
  return pipe_.send(kind, out.view());
}

void WebSocketCall::end(Result<void> outcome) {
  if (!pipe_.is_open()) {
    http::Response failed = http::Response::from_error(outcome.error());
    if (failed.status == http::status::kUpgradeRequired) failed.headers.add("Sec-WebSocket-Version", "13");
    return std::exchange(exchange_, nullptr)->answer(failed.status, failed.headers, failed.body);
  }
  if (outcome) {
    pipe_.close(websocket::close_code::kNormal, {});
  } else if (stopping_ && outcome.error().code() == Code::kUnavailable) {
    pipe_.close(websocket::close_code::kGoingAway, outcome.error().message());
  } else {
    pipe_.close(static_cast<std::uint16_t>(kFailedCall + static_cast<int>(outcome.error().code())), outcome.error().message());
  }
  pipe_.let_go();
  std::exchange(exchange_, nullptr)->end_reply();
}

void WebSocketCall::on_silence() { context_.cancel(unavailable("the caller does not answer pings")); }

}  // namespace micro::rpc
