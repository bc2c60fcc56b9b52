#include "connection.hpp"

#include <algorithm>

#include <micro/http/error.hpp>
#include <micro/http/status.hpp>

#include "http1_protocol.hpp"
#include "http2_protocol.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// RFC 9113, section 3.4.
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Reads of the shared buffer before other connections have their turn.
constexpr int kReadsPerTurn = 8;

// How long the peer gets to end its side after we have ended ours; closing at once would make the kernel send a reset that can
// destroy what is still on its way (RFC 9112, section 9.6).
constexpr Duration kLinger = std::chrono::seconds(1);

// As much as the kernel holds for a socket without more ado.
constexpr std::size_t kLittleUnsent = std::size_t{64} * 1024;

// What every idle connection costs, with its protocol, its socket and the frame of serve().
static_assert(sizeof(Connection) <= 512);

}  // namespace

Connection::Connection(Worker& worker, std::unique_ptr<net::Stream> stream)
    : worker_(worker),
      stream_(std::move(stream)),
      flush_([](void* self) { static_cast<Connection*>(self)->flush(); }, this),
      watch_(worker.loop().now()),
      unsent_(worker.unsent()) {
  worker_.link(*this);
}

Connection::~Connection() { worker_.unlink(*this); }

Task<void> Connection::serve() {
  while (!failed_) {
    // Of all connections of the worker, so that an idle one keeps none.
    const std::span<char> buffer = worker_.scratch();
    const Result<std::size_t> read = co_await stream_->read_some(buffer);
    if (!read) {
      if (!closing_) abort(read.error());
      break;
    }
    if (*read == 0) {
      if (protocol_) protocol_->receive_end();
      break;
    }
    if (closing_ || discard_) continue;
    const std::string_view bytes(buffer.data(), *read);
    if (begins_tls(bytes) && worker_.state().options.tls) {
      co_await secure(bytes);
      continue;
    }
    Result<void> received = receive(bytes);
    // A full buffer: there may be more, which is read without another turn of the loop.
    bool more = *read == buffer.size();
    for (int round = 0; received && more && round < kReadsPerTurn && may_read(); ++round) {
      bool would_block = false;
      const Result<std::size_t> extra = stream_->try_read(buffer, would_block);
      if (!extra || would_block || *extra == 0) break;  // the next read_some tells what it is
      received = receive({buffer.data(), *extra});
      more = *extra == buffer.size();
    }
    if (!received) {
      discard_ = true;
      count_failure(received.error());
    }
    if (!received && !protocol_) break;
    output_added();
    while (!failed_ && !closing_ && !may_read()) {
      changed_.reset();
      co_await changed_.wait();
    }
  }
  // The peer has ended its side; what it asked for is still answered.
  if (protocol_) flush();
  while (!failed_ && !closing_ && protocol_) {
    changed_.reset();
    co_await changed_.wait();
  }
  linger_.cancel();
  if (!failed_) abort(cancelled("the caller " + peer() + " closed the connection"));
  while (writing_) {
    changed_.reset();
    co_await changed_.wait();
  }
}

bool Connection::may_read() const noexcept { return !protocol_ || protocol_->wants_bytes(); }

void Connection::count_failure(const Error& error) noexcept {
  WorkerCounters& counters = worker_.counters();
  const int status = http::status_from(error);
  if (error.reason() == http2::to_string(http2::ErrorCode::kEnhanceYourCalm)) {
    counters.floods.add();
  } else if (error.reason() == kTlsRequiredReason) {
    counters.refused_plain.add();
  } else if (status == http::status::kContentTooLarge || status == http::status::kUriTooLong ||
             status == http::status::kHeaderFieldsTooLarge) {
    counters.oversized.add();
  } else {
    counters.malformed.add();
  }
}

Result<void> Connection::receive(std::string_view bytes) {
  received_ += bytes.size();
  if (closing_) return {};  // lingering: what still comes is of no interest
  if (!protocol_) return detect(bytes);
  return protocol_->receive(bytes);
}

Result<void> Connection::detect(std::string_view bytes) {
  if (!detected_.empty()) {
    detected_ += bytes;
    bytes = detected_;
  }
  const std::size_t common = std::min(bytes.size(), kPreface.size());
  const bool may_be_http2 = bytes.substr(0, common) == kPreface.substr(0, common);
  if (may_be_http2 && bytes.size() < kPreface.size()) {
    if (detected_.empty()) detected_ = bytes;
    return {};
  }
  if (begins_tls(bytes)) return fail(invalid_argument(peer() + " speaks TLS to a port without it"));
  if (worker_.state().options.require_tls && !identity_) return refuse_plain(may_be_http2);
  if (may_be_http2 || !worker_.state().options.http1) {
    protocol_ = std::make_unique<Http2Protocol>(*this);
  } else {
    protocol_ = std::make_unique<Http1Protocol>(*this);
  }
  if (draining_) protocol_->drain();
  const std::string first = std::move(detected_);
  detected_.clear();
  return protocol_->receive(first.empty() ? bytes : std::string_view(first));
}

void Connection::output_added() noexcept {
  if (!failed_) worker_.loop().defer(flush_);
}

void Connection::resume_reading() { changed_.set(); }

void Connection::switch_to(std::unique_ptr<ConnectionProtocol> next) {
  former_ = std::move(protocol_);
  protocol_ = std::move(next);
  if (draining_) protocol_->drain();
  changed_.set();
  output_added();
}

void Connection::flush() {
  if (failed_ || closing_ || !protocol_) return;
  if (writing_) {
    count_unsent();
    return;
  }
  if (former_) {
    Chain first = std::move(former_->output());
    first.append(std::move(protocol_->output()));
    protocol_->output() = std::move(first);
    former_.reset();
  }
  if (!write_out() || !count_unsent()) return;
  if (!protocol_->output().empty()) {
    writing_ = true;
    spawn(write_rest());
    return;
  }
  all_written();
}

// Who waits for room goes on, and may add output.
void Connection::all_written() {
  protocol_->output_flushed();
  if (protocol_->finished() && protocol_->output().empty()) begin_close();
}

bool Connection::write_out() {
  Chain& out = protocol_->output();
  while (!out.empty()) {
    std::array<std::string_view, 16> pieces;
    const std::size_t count = out.gather(pieces);
    const Result<std::size_t> written = stream_->try_write(std::span(pieces.data(), count));
    if (!written) {
      abort(written.error());
      return false;
    }
    if (*written == 0) break;
    out.consume(*written);
    sent_ += *written;
  }
  return true;
}

bool Connection::count_unsent() {
  const std::size_t bytes = protocol_->output().size() + protocol_->queued();
  // When all is used up by others, a connection with little is not to suffer for it.
  if (unsent_.set(bytes) || bytes <= kLittleUnsent) return true;
  worker_.counters().unsent_refusals.add();
  abort(cancelled("the caller " + peer() + " takes its answers too slowly: " + std::to_string(bytes) +
                  " bytes wait, and those of all callers are as many as may (option max_unsent_bytes)"));
  return false;
}

// The socket takes no more just now: waits for it and goes on where flush() stopped.
Task<void> Connection::write_rest() {
  const Result<void> writable = co_await stream_->wait_writable();
  writing_ = false;
  changed_.set();
  if (failed_) co_return;
  if (!writable) {
    abort(writable.error());
    co_return;
  }
  flush();
}

void Connection::begin_close() {
  if (closing_ || failed_) return;
  closing_ = true;
  changed_.set();
  stream_->shutdown_write();
  linger_.set(
      worker_.loop(), worker_.loop().now() + kLinger, [](void* self) { static_cast<Connection*>(self)->stream_->close(); }, this);
}

void Connection::drain() {
  draining_ = true;
  if (!protocol_) return;
  protocol_->drain();
  output_added();
}

void Connection::close_if_idle(bool force) {
  if (handshaking_ && !force) return;
  const bool may_close = !protocol_ || protocol_->idle() || (force && protocol_->open_calls() == 0);
  if (may_close && (!protocol_ || protocol_->output().empty())) begin_close();
}

void Connection::look(TimePoint now) {
  if (failed_ || closing_) return;  // the linger timer sees to the rest
  // The kernel tells of room only when a third of its buffer is free; a slow reader is not to be taken for one that does not
  // read. What waits for room must not wait for the kernel's word then: from a peer that stops reading it never comes.
  if (writing_ && protocol_ && !former_) {
    if (!write_out()) return;
    if (protocol_->output().empty()) all_written();
    if (failed_ || closing_) return;
  }
  if (protocol_) {
    protocol_->look_at_calls(now);
    if (failed_) return;
  }
  ConnectionSample sample{.received = received_, .sent = sent_, .output_waits = writing_ && !protocol_->output().empty()};
  if (protocol_) protocol_->sample(sample);
  if (!may_read()) sample.phase = Phase::kBusy;

  WorkerCounters& counters = worker_.counters();
  switch (watch_.look(sample, worker_.state().options, now)) {
    case ConnectionWatch::Verdict::kFine:
      break;
    case ConnectionWatch::Verdict::kHeadLate:
      counters.header_timeouts.add();
      time_out(http::error_with_status(http::status::kRequestTimeout, "HTTP_HEADER_TIMEOUT",
                                       "the head of the request did not arrive in time (option header_timeout)"));
      break;
    case ConnectionWatch::Verdict::kBodyLate:
      counters.body_timeouts.add();
      time_out(http::error_with_status(http::status::kRequestTimeout, "HTTP_BODY_TIMEOUT",
                                       "the body of the request arrives too slowly (options body_timeout, min_transfer_rate)"));
      break;
    case ConnectionWatch::Verdict::kNotTaken:
      counters.write_timeouts.add();
      abort(cancelled("the caller " + peer() + " does not take its answers (option write_timeout)"));
      break;
    case ConnectionWatch::Verdict::kIdle:
      counters.idle_timeouts.add();
      drain();
      close_if_idle(false);
      break;
    case ConnectionWatch::Verdict::kStillIdle:
      close_if_idle(true);
      break;
    case ConnectionWatch::Verdict::kPing:
      protocol_->ping();
      output_added();
      break;
    case ConnectionWatch::Verdict::kDead:
      counters.keepalive_timeouts.add();
      abort(cancelled("the caller " + peer() + " does not answer a PING (option keepalive_timeout)"));
      break;
    case ConnectionWatch::Verdict::kOld:
      counters.aged_connections.add();
      drain();
      close_if_idle(false);
      break;
  }
}

// The peer is told when it has begun to speak HTTP/1.1; what has not begun, or is HTTP/2, is closed.
void Connection::time_out(const Error& reason) {
  if (!protocol_) return begin_close();
  discard_ = true;
  protocol_->time_out(reason);
  output_added();
}

void Connection::abort(const Error& reason) {
  if (failed_) return;
  failed_ = true;
  changed_.set();
  if (protocol_) protocol_->abort(reason);
  stream_->close();
}

}  // namespace micro::rpc
