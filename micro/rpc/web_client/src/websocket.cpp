#include <micro/web_client/websocket.hpp>

#include <stdexcept>
#include <utility>

#include <micro/duration/duration.hpp>
#include <micro/http/status.hpp>
#include <micro/websocket/handshake.hpp>

#include "http_exchange.hpp"
#include "websocket_impl.hpp"

namespace micro::web {
namespace {

using websocket::MessageKind;
using websocket::Role;

// Messages that were read while something was written wait here; beyond it the server is held back.
constexpr std::size_t kMostQueued = std::size_t{256} * 1024;

struct Busy {
  Busy(bool& f, const char* what) : flag(f) {
    if (flag) throw std::logic_error(std::string("two ") + what + " of one WebSocket at the same time");
    flag = true;
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { flag = false; }
  bool& flag;
};

}  // namespace

WebSocket::Impl::Impl(Context& context, std::unique_ptr<net::Stream> stream, const Target& target, WebSocketOptions o,
                      std::optional<TimePoint> deadline)
    : options(std::move(o)), wire(context, std::move(stream), url_of(target, "ws"), deadline) {
  wire.on_end(
      [](void* self) {
        auto& impl = *static_cast<Impl*>(self);
        if (!impl.session) return;
        impl.session->close(websocket::close_code::kGoingAway);
        impl.wire.try_flush(impl.session->output());
      },
      this);
}

WebSocket::Impl::~Impl() {
  if (!session || ended || wire.error()) return;
  session->close(websocket::close_code::kGoingAway);
  wire.try_flush(session->output());
}

Task<Result<void>> WebSocket::Impl::handshake(Context& context, const Target& target) {
  const websocket::ConnectOptions wanted{.subprotocols = options.subprotocols, .deflate = options.deflate};
  const websocket::Offer offer = websocket::make_offer(wanted);
  Metadata request = options.headers;
  request.append(offer.headers);
  const std::string host = name_of(target);
  http1::RequestStart start;
  start.target = target.path;
  start.host = target.host.empty() && target.address.is_unix() ? std::string_view("localhost") : std::string_view(host);
  start.upgrade = "websocket";
  wire.set_limit(options.open_timeout, "no answer to the handshake");
  HttpExchange exchange(wire);
  if (Result<void> sent = co_await exchange.send(start, request, std::string_view()); !sent) co_return sent;
  take_reply_headers(exchange.head().headers, target.address.to_string(), wire.identity(), context);
  if (exchange.head().status != http::status::kSwitchingProtocols) {
    Error refused = co_await exchange.refusal();
    co_return fail(std::move(refused));
  }
  Result<websocket::Opened> opened = websocket::check_answer(exchange.head().status, exchange.head().headers, offer);
  if (!opened) co_return fail(std::move(opened.error()).with_context(wire.name()));
  wire.clear_limit();
  websocket::Options limits;
  limits.max_message = options.max_message;
  limits.max_frame = websocket::max_frame_for(options.max_message);
  session.emplace(Role::kClient, limits, opened->deflate);
  subprotocol = std::move(opened->subprotocol);
  headers = exchange.head().headers;
  // The view of the exchange ends with it.
  first_bytes = exchange.rest();
  input = first_bytes;
  co_return Result<void>{};
}

void WebSocket::Impl::end(std::optional<Error> why) {
  if (ended) return;
  ended = true;
  input = {};
  failure = std::move(why);
  silence.cancel();
  wire.try_flush(session->output());
  // Whoever is still writing is told by its own failure.
  wire.close();
  closed.set();
}

void WebSocket::Impl::advance() {
  while (!input.empty() && !ended && queued <= kMostQueued) {
    const Result<websocket::Event> event = session->next(input);
    if (!event) return end(Error(event.error()).with_context(wire.name()));
    switch (*event) {
      case websocket::Event::kMessage:
        queued += session->payload().size();
        queue.emplace_back(session->kind(), session->take_payload());
        break;
      case websocket::Event::kClose:
        close_reason = session->payload();
        return end(std::nullopt);
      case websocket::Event::kNeedMore:
      case websocket::Event::kPing:
      case websocket::Event::kPong:
        break;
    }
  }
  wire.try_flush(session->output());
}

void WebSocket::Impl::take(Result<std::string_view> bytes) {
  ping_sent = false;
  if (!bytes) {
    end(std::move(bytes.error()));
  } else if (bytes->empty()) {
    Result<void> finished = session->finish();
    end(finished ? std::nullopt : std::optional(std::move(finished.error()).with_context(wire.name())));
  } else {
    input = *bytes;
    advance();
  }
}

void WebSocket::Impl::poll() {
  while (!ended && queued <= kMostQueued) {
    if (!input.empty()) {
      advance();
      continue;
    }
    if (wire.reading()) break;
    Result<std::optional<std::string_view>> bytes = wire.try_read();
    if (bytes && !*bytes) break;
    take(bytes ? Result<std::string_view>(**bytes) : Result<std::string_view>(std::unexpect, std::move(bytes.error())));
  }
  // Whoever holds the server back learns of the end, too.
  if (!ended && wire.error()) end(*wire.error());
}

void WebSocket::Impl::watch() {
  if (options.keepalive_interval <= Duration::zero()) return;
  silence.set(
      wire.loop(), wire.loop().now() + (ping_sent ? options.keepalive_timeout : options.keepalive_interval),
      [](void* self) { static_cast<Impl*>(self)->on_silence(); }, this);
}

void WebSocket::Impl::on_silence() {
  if (ping_sent) {
    wire.fail_with(unavailable(wire.name() + ": no answer to a ping within " + format_duration(options.keepalive_timeout)));
    return;
  }
  ping_sent = true;
  session->ping();
  wire.try_flush(session->output());
  watch();
}

Task<Result<std::optional<WebSocket::Message>>> WebSocket::Impl::read() {
  const Busy busy(reading, "reads");
  while (queue.empty()) {
    if (ended) {
      if (failure) co_return fail(*failure);
      co_return std::nullopt;
    }
    if (!input.empty()) {
      advance();
      continue;
    }
    watch();
    Result<std::string_view> bytes = co_await wire.read();
    silence.cancel();
    if (!ended) take(std::move(bytes));
  }
  Message message = std::move(queue.front());
  queue.pop_front();
  queued -= message.data.size();
  co_return message;
}

Error WebSocket::Impl::closed_error() const {
  if (failure) return *failure;
  std::string text = wire.name() + ": the server has closed the WebSocket with code " + std::to_string(session->close_code());
  if (!close_reason.empty()) text += " (" + close_reason + ")";
  return cancelled(std::move(text));
}

Task<Result<void>> WebSocket::Impl::flush() {
  Result<void> flushed = co_await wire.flush(session->output());
  poll();
  // A server may end a call as soon as it has what was just written.
  if (flushed) co_return flushed;
  if (ended) co_return fail(closed_error());
  // Nothing that could explain it came before the connection was lost.
  if (!wire.reading()) end(flushed.error());
  co_return flushed;
}

Task<Result<void>> WebSocket::Impl::write(MessageKind kind, std::string_view data) {
  const Busy busy(writing, "writes");
  if (!ended) poll();
  if (ended) co_return fail(closed_error());
  if (Result<void> queued_up = session->send(kind, data); !queued_up) {
    co_return fail(std::move(queued_up.error()).with_context(wire.name()));
  }
  co_return co_await flush();
}

Task<Result<void>> WebSocket::Impl::close(std::uint16_t code, std::string_view reason, Duration timeout) {
  if (ended) co_return failure ? Result<void>(std::unexpect, *failure) : Result<void>{};
  session->close(code, reason);
  wire.set_limit(timeout, "the server did not answer the close frame");
  Result<void> flushed = co_await wire.flush(session->output());
  if (!flushed && !ended && !wire.reading()) end(flushed.error());
  if (reading) {
    co_await closed.wait();
  } else {
    const Busy busy(reading, "reads");
    while (!ended) {
      queue.clear();
      queued = 0;
      if (!input.empty()) {
        advance();
        continue;
      }
      Result<std::string_view> bytes = co_await wire.read();
      if (!ended) take(std::move(bytes));
    }
  }
  if (failure) co_return fail(*failure);
  co_return Result<void>{};
}

Task<Result<std::unique_ptr<WebSocket>>> WebSocket::Impl::open(Context& context, std::unique_ptr<net::Stream> stream,
                                                               Target target, WebSocketOptions options,
                                                               std::optional<TimePoint> deadline) {
  auto impl = std::make_unique<Impl>(context, std::move(stream), target, std::move(options), deadline);
  if (Result<void> shaken = co_await impl->handshake(context, target); !shaken) co_return fail(std::move(shaken.error()));
  co_return std::unique_ptr<WebSocket>(new WebSocket(std::move(impl)));
}

Task<Result<std::unique_ptr<WebSocket>>> WebSocket::connect(Context& context, Target target, WebSocketOptions options) {
  auto stream = co_await dial(context, target, options.tls, options.open_timeout);
  if (!stream) co_return fail(std::move(stream.error()));
  co_return co_await Impl::open(context, std::move(*stream), std::move(target), std::move(options), std::nullopt);
}

Task<Result<std::unique_ptr<WebSocket>>> WebSocket::open(Context& context, std::unique_ptr<net::Stream> stream, Target target,
                                                         WebSocketOptions options) {
  return Impl::open(context, std::move(stream), std::move(target), std::move(options), std::nullopt);
}

WebSocket::WebSocket(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
WebSocket::~WebSocket() = default;

Task<Result<std::optional<WebSocket::Message>>> WebSocket::read() { return impl_->read(); }
Task<Result<void>> WebSocket::write(MessageKind kind, std::string_view data) { return impl_->write(kind, data); }

Task<Result<void>> WebSocket::ping(std::string_view payload) {
  if (impl_->ended) co_return fail(impl_->closed_error());
  impl_->session->ping(payload);
  co_return co_await impl_->flush();
}

Task<Result<void>> WebSocket::close(std::uint16_t code, std::string_view reason, Duration timeout) {
  return impl_->close(code, reason, timeout);
}

std::uint16_t WebSocket::close_code() const noexcept { return impl_->session->close_code(); }
const std::string& WebSocket::close_reason() const noexcept { return impl_->close_reason; }
const std::string& WebSocket::subprotocol() const noexcept { return impl_->subprotocol; }
const Metadata& WebSocket::headers() const noexcept { return impl_->headers; }

}  // namespace micro::web
