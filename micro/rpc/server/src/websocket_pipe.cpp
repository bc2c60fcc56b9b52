#include "websocket_pipe.hpp"

#include <utility>

#include <micro/websocket/handshake.hpp>

#include "worker.hpp"

namespace micro::rpc {
namespace {

// Messages that wait for the handler: beyond this many bytes, and while output waits for the caller, nothing more is read.
constexpr std::size_t kMaxQueued = 256 * 1024;

// On HTTP/2 there is nothing to prove with a key (RFC 8441, section 5); all else is the same.
Result<websocket::Accepted> accept(const http::Request& request, const websocket::AcceptOptions& options) {
  if (request.method != http::Method::kConnect) return websocket::accept_request(request.method, 1, request.headers, options);
  Metadata headers = request.headers;
  headers.set("Upgrade", "websocket");
  headers.set("Connection", "Upgrade");
  headers.set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
  Result<websocket::Accepted> accepted = websocket::accept_request(http::Method::kGet, 1, headers, options);
  if (accepted) accepted->headers.remove("Sec-WebSocket-Accept");
  return accepted;
}

}  // namespace

WebSocketPipe::WebSocketPipe(Worker& worker, Owner& owner) noexcept
    : worker_(worker), owner_(owner), held_(worker.unfinished()) {}

Result<void> WebSocketPipe::open(HttpExchange& exchange, const http::Request& request, const Options& options) {
  websocket::AcceptOptions accept_options;
  accept_options.subprotocols = options.subprotocols;
  accept_options.origins = worker_.state().options.websocket_origins;
  accept_options.deflate.enabled = options.compression;
  Result<websocket::Accepted> accepted = accept(request, accept_options);
  if (!accepted) {
    if (accepted.error().reason() == "WEBSOCKET_ORIGIN") worker_.counters().cross_origin_refusals.add();
    return std::unexpected(std::move(accepted.error()));
  }
  if (Result<void> switched = exchange.switch_protocols("websocket", accepted->headers); !switched) return switched;
  websocket::Options session_options;
  session_options.max_message = options.max_message_size;
  session_options.max_frame = options.max_message_size;
  session_.emplace(websocket::Role::kServer, session_options, accepted->deflate);
  subprotocol_ = std::move(accepted->subprotocol);
  exchange_ = &exchange;
  worker_.heartbeats().add(*this);
  return {};
}

void WebSocketPipe::receive(std::string_view data, bool end) {
  heard_ = true;
  ended_ = ended_ || end;
  waiting_.append(data);
  pump();
  if (!over_ && !hold()) over_ = worker_.no_room();
  if (!over_ && !in_time()) {
    worker_.counters().body_timeouts.add();
    over_ = deadline_exceeded("the message came too slowly");
  }
}

bool WebSocketPipe::in_time() noexcept {
  const ServerOptions& limits = worker_.state().options;
  if (session_->unfinished() == 0 || !waiting_.empty() || limits.body_timeout <= Duration::zero()) {
    pace_.restart();
    return true;
  }
  const std::uint64_t moved = whole_ + session_->unfinished();
  return pace_.keeps_up(moved, worker_.loop().now(), limits.body_timeout, limits.min_transfer_rate);
}

bool WebSocketPipe::hold() noexcept { return held_.set(waiting_.size() + queued_ + session_->unfinished()); }

void WebSocketPipe::pump() {
  while (!over_ && exchange_ != nullptr && queued_ <= kMaxQueued) {
    if (exchange_->congested()) return exchange_->wake_when_writable();
    const std::size_t before = waiting_.size();
    std::string_view input = waiting_.view();
    Result<websocket::Event> event = session_->next(input);
    Result<void> taken = event ? take_event(*event) : std::unexpected(std::move(event.error()));
    const std::size_t used = before - input.size();
    waiting_.consume(used);
    flush();
    if (used > 0) exchange_->consumed(used);
    if (!taken) {
      worker_.count_refused(taken.error());
      over_ = std::move(taken.error());
    }
    if (event && *event == websocket::Event::kNeedMore) break;
  }
  if (!over_ && ended_ && waiting_.empty()) over_ = unavailable("the caller ended the connection without closing the WebSocket");
}

Result<void> WebSocketPipe::take_event(websocket::Event event) {
  if (event == websocket::Event::kMessage) {
    queued_ += session_->payload().size();
    whole_ += session_->payload().size();
    messages_.push_back({session_->kind(), session_->take_payload()});
  } else if (event == websocket::Event::kClose) {
    closed_by_caller_ = true;
    return fail(cancelled("the caller closed the WebSocket"));
  }
  return {};
}

WebSocketPipe::Message WebSocketPipe::take() {
  Message message = std::move(messages_.front());
  messages_.pop_front();
  queued_ -= message.payload.size();
  pump();
  (void)hold();  // no more than before
  return message;
}

Result<void> WebSocketPipe::send(websocket::MessageKind kind, std::string_view payload) {
  Result<void> sent = session_->send(kind, payload);
  flush();
  return sent;
}

void WebSocketPipe::close(std::uint16_t code, std::string_view reason) {
  session_->close(code, reason);
  flush();
}

void WebSocketPipe::flush() {
  Chain& out = session_->output();
  while (!out.empty() && exchange_ != nullptr) {
    const std::string_view piece = out.front();
    exchange_->send(piece);
    out.consume(piece.size());
  }
}

void WebSocketPipe::beat() {
  if (exchange_ == nullptr || over_) return;
  if (std::exchange(heard_, false)) {
    pinged_ = false;
  } else if (!std::exchange(pinged_, true)) {
    session_->ping();
    flush();
  } else {
    worker_.counters().websocket_timeouts.add();
    owner_.on_silence();
  }
}

}  // namespace micro::rpc
