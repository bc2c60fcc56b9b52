// What a connection does with TLS: the handshake, and plain ones where they are not wanted.
#include <micro/tls/stream.hpp>

#include "connection.hpp"
#include "http1_protocol.hpp"
#include "http2_protocol.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// How long the peer of a failed handshake gets to read why, before the socket is closed.
constexpr Duration kLinger = std::chrono::seconds(1);

}  // namespace

bool Connection::begins_tls(std::string_view bytes) const noexcept {
  // No HTTP request begins with that byte.
  return !protocol_ && identity_ == nullptr && detected_.empty() && bytes.front() == tls::kFirstByte;
}

Task<void> Connection::secure(std::string_view hello) {
  const ServerOptions& options = worker_.state().options;
  Loop& loop = worker_.loop();
  std::unique_ptr<tls::Stream> secured = tls::Stream::server(std::move(stream_), *options.tls);
  tls::Stream& stream = *secured;
  stream_ = std::move(secured);
  handshaking_ = true;
  struct Expiry {
    tls::Stream& stream;
    bool late = false;
    static void expire(void* self) {
      auto& expiry = *static_cast<Expiry*>(self);
      expiry.late = true;
      expiry.stream.close();
    }
  } expiry{stream};
  Timer timer;
  if (options.tls_handshake_timeout > Duration::zero()) {
    timer.set(loop, loop.now() + options.tls_handshake_timeout, Expiry::expire, &expiry);
  }
  const Result<void> done = co_await stream.handshake(hello);
  handshaking_ = false;
  if (done) {
    worker_.counters().tls_handshakes.add();
    identity_ = stream.identity();
    begin_agreed_protocol(stream.application_protocol());
    co_return;
  }
  if (failed_ || closing_) {
    abort(done.error());
    co_return;
  }
  worker_.counters().failed_tls_handshakes.add();
  const Error error =
      expiry.late ? unavailable("TLS with " + peer() + ": no end of the handshake within the time allowed") : done.error();
  if (options.tls_observer) options.tls_observer->on_failed_handshake(peer(), error);
  if (!expiry.late) {
    timer.set(loop, loop.now() + kLinger, Expiry::expire, &expiry);
    co_await stream.linger();
  }
  abort(error);
}

void Connection::begin_agreed_protocol(std::string_view name) {
  if (name == "h2") {
    protocol_ = std::make_unique<Http2Protocol>(*this);
  } else if (name == "http/1.1" && worker_.state().options.http1) {
    protocol_ = std::make_unique<Http1Protocol>(*this);
  }
  if (protocol_ && draining_) protocol_->drain();
  output_added();
}

Result<void> Connection::refuse_plain(bool http2) {
  const Error error =
      failed_precondition("this port takes TLS connections only; call it with https, or with a client that has TLS credentials")
          .with_reason(std::string(kTlsRequiredReason));
  if (http2) {
    auto refusing = std::make_unique<Http2Protocol>(*this);
    refusing->refuse(error);
    protocol_ = std::move(refusing);
  } else {
    auto refusing = std::make_unique<Http1Protocol>(*this);
    (void)refusing->refuse(error);
    protocol_ = std::move(refusing);
  }
  return fail(error);
}

}  // namespace micro::rpc
