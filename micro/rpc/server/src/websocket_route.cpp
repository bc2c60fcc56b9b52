#include "websocket_route.hpp"

#include <utility>

#include <micro/http/status.hpp>

#include "worker.hpp"

namespace micro::rpc {
namespace {

// The closing code of a handler that failed is this much more than the code of its error.
constexpr std::uint16_t kFailedCall = 4000;

}  // namespace

void WebSocketRoute::begin(HttpExchange& exchange, HttpHead& head, HttpRoutes::Match match) {
  take(exchange, head);
  match_ = std::move(match);
  // HTTP/1.1 switches behind the end of the request; on HTTP/2 the stream goes on.
  if (request_.method == http::Method::kConnect) open();
}

void WebSocketRoute::receive(std::string_view data, bool end) {
  if (pipe_.is_open()) {
    pipe_.receive(data, end);
    return take_up();
  }
  exchange_->consumed(data.size());  // a body, which has no meaning here
  if (end) open();
}

void WebSocketRoute::open() {
  Result<void> done = take_headers();
  const WebSocketOptions& wanted = *match_.websocket_options;
  const WebSocketPipe::Options options{
      .subprotocols = wanted.subprotocols, .max_message_size = wanted.max_message_size, .compression = wanted.compression};
  if (done) done = pipe_.open(*exchange_, request_, options);
  if (!done) return refuse(done.error());
  start();
}

void WebSocketRoute::take_up() {
  changed_.set();
  if (pipe_.over() && !pipe_.closed_by_caller()) context_.cancel(*pipe_.over());
}

void WebSocketRoute::writable() {
  if (pipe_.is_open()) pipe_.pump();
  take_up();
}

Task<Result<void>> WebSocketRoute::run() { return match_.websocket->handle(context_, request_, match_.parameters, *this); }

Task<Result<std::optional<WebSocket::Message>>> WebSocketRoute::read() {
  while (true) {
    if (pipe_.has_message()) {
      const WebSocketPipe::Message next = pipe_.take();
      co_return Message{.text = next.kind == websocket::MessageKind::kText, .data = std::string(next.payload.view())};
    }
    if (std::optional<Error> reason = context_.error()) co_return fail(std::move(*reason));
    if (closing_ || pipe_.closed_by_caller()) co_return std::optional<Message>();
    if (pipe_.over()) co_return fail(*pipe_.over());
    changed_.reset();
    co_await changed_.wait();
  }
}

Task<Result<void>> WebSocketRoute::send(websocket::MessageKind kind, std::string_view data) {
  if (std::optional<Error> reason = context_.error()) return sent(fail(std::move(*reason)));
  if (exchange_ == nullptr) return sent(fail(cancelled("the WebSocket is closed")));
  return sent(pipe_.send(kind, data));
}

// Waits until the caller has taken enough of it.
Task<Result<void>> WebSocketRoute::sent(Result<void> result) {
  while (result && exchange_ != nullptr && !context_.cancelled() && exchange_->congested()) {
    changed_.reset();
    exchange_->wake_when_writable();
    co_await changed_.wait();
  }
  if (std::optional<Error> reason = context_.error()) co_return fail(std::move(*reason));
  co_return result;
}

void WebSocketRoute::close(std::uint16_t code, std::string_view reason) {
  closing_ = true;
  if (exchange_ != nullptr) pipe_.close(code, reason);
  changed_.set();
}

void WebSocketRoute::end(Result<void> outcome) {
  HttpExchange& exchange = *std::exchange(exchange_, nullptr);
  if (!pipe_.is_open()) {
    http::Response failed = http::Response::from_error(outcome.error());
    if (failed.status == http::status::kUpgradeRequired) failed.headers.add("Sec-WebSocket-Version", "13");
    return exchange.answer(failed.status, failed.headers, failed.body);
  }
  if (outcome) {
    pipe_.close(websocket::close_code::kNormal, {});
  } else {
    pipe_.close(static_cast<std::uint16_t>(kFailedCall + static_cast<int>(outcome.error().code())), outcome.error().message());
  }
  pipe_.let_go();
  exchange.end_reply();
}

void WebSocketRoute::on_silence() { context_.cancel(unavailable("the caller does not answer pings")); }

void WebSocketRoute::on_drain() { close(websocket::close_code::kGoingAway, "the server is stopping"); }

}  // namespace micro::rpc
