#include "connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <micro/coro/deadline.hpp>
#include <micro/duration/duration.hpp>
#include <micro/net/connect.hpp>
#include <micro/tls/stream.hpp>

#include "exchange.hpp"
#include "node_pool.hpp"
#include "slot.hpp"

namespace micro::client {
namespace {

// Reads of the shared buffer before other connections have their turn.
constexpr int kReadsPerTurn = 16;
// Tells our PINGs from those of the session.
constexpr std::uint64_t kPing = 0x6d6963726f636c69;
// gRPC servers of other makes close a connection on which more than a few PINGs come without data in between, less than five
// minutes apart ("too_many_pings").
constexpr Duration kPoliteInterval = std::chrono::minutes(5) + std::chrono::seconds(10);
// Stream ids end at 2^31-1, which takes a busy connection an hour or so: it is replaced a little before.
constexpr std::uint32_t kLastStream = 0x7fff0001;

Exchange* exchange_of(http2::Stream& stream) noexcept { return static_cast<Exchange*>(stream.user); }

}  // namespace

Connection& Connection::open(NodePool& pool) {
  auto* connection = new Connection(pool);
  spawn(connection->run(pool.slot().connections.enter()));
  return *connection;
}

Connection::Connection(NodePool& pool)
    : pool_(pool),
      slot_(pool.slot()),
      loop_(pool.slot().loop()),
      session_(http2::Role::kClient, http2::Options(), *this),
      flush_([](void* self) { static_cast<Connection*>(self)->flush(); }, this) {}

Connection::~Connection() = default;

Task<void> Connection::run(Gate::Holder) {
  // The pool has to know of this connection before it hears how it goes.
  co_await loop_.yield();
  slot_.counters.connects.add();
  Result<void> outcome = co_await connect();
  if (outcome) {
    state_ = State::kReady;
    slot_.counters.open_connections.add();
    received_ = active_since_ = loop_.now();
    schedule_tick();
    pool_.on_ready(*this);
    outcome = co_await read(false);
    slot_.counters.open_connections.subtract();
    if (!ended_) abort(outcome.error());
  } else {
    if (!ended_) ended_ = outcome.error();
    pool_.on_connect_failed(*this, outcome.error());
  }
  state_ = State::kClosed;
  tick_.cancel();
  if (socket_) socket_->close();
  co_await writers_.close();
  pool_.on_gone(*this);
  delete this;
}

Task<Result<void>> Connection::connect() {
  if (ended_) co_return fail(*ended_);
  if (!pool_.parsed()) co_return fail(pool_.parsed().error());
  Context context;
  const Duration timeout = slot_.options().connect_timeout;
  if (timeout > Duration::zero()) context.set_timeout(timeout, loop_.now());
  const ContextDeadline deadline(context, loop_);
  connecting_ = &context;
  Result<void> outcome;
  CancelCallback closer;
  Result<std::unique_ptr<net::Stream>> socket = co_await net::connect(context, *pool_.parsed());
  if (socket) {
    socket_ = std::move(*socket);
    closer.link(context.cancellation(), [](void* self, const Error&) { static_cast<Connection*>(self)->socket_->close(); }, this);
    if (pool_.secure()) outcome = co_await secure();
    if (outcome) {
      flush();
      outcome = co_await read(true);
    }
  } else {
    outcome = fail(unavailable(socket.error().message()));
  }
  connecting_ = nullptr;
  if (ended_) co_return fail(*ended_);
  if (outcome && session_.peer_goaway()) {
    outcome = fail(unavailable("it is going away" + (farewell_.empty() ? "" : ": " + farewell_)));
  }
  const std::string name = "connect to " + pool_.address();
  // Also when the answer was on its way already: the socket is closed.
  if (context.cancelled()) co_return fail(unavailable(name + ": no answer within " + format_duration(timeout)));
  if (outcome) co_return outcome;
  if (socket) co_return fail(connect_error(outcome.error()));
  co_return outcome;
}

Error Connection::connect_error(const Error& error) const {
  const std::string name = "connect to " + pool_.address();
  if (error.reason().starts_with("TLS_")) return Error(error).with_context(name);
  if (needs_tls_) return unavailable(name + ": " + farewell_).with_reason("TLS_REQUIRED");
  return unavailable(name + ": no HTTP/2 server there: " + error.message());
}

Task<Result<void>> Connection::secure() {
  Result<std::shared_ptr<tls::ClientCredentials>> credentials = slot_.tls_credentials();
  if (!credentials) co_return fail(std::move(credentials.error()));
  const Address& address = *pool_.parsed();
  const std::string host = address.is_unix() || address.host.empty() ? "localhost" : address.host;
  std::unique_ptr<tls::Stream> secured = tls::Stream::client(std::move(socket_), **credentials, host);
  tls::Stream& stream = *secured;
  socket_ = std::move(secured);
  securing_ = true;
  Result<void> done = co_await stream.handshake();
  securing_ = false;
  if (!done) co_return done;
  identity_ = stream.identity();
  if (stream.application_protocol() != "h2") {
    co_return fail(unavailable("the server speaks TLS, but did not agree to HTTP/2 (ALPN h2); is it a gRPC server?")
                       .with_reason("TLS_HANDSHAKE"));
  }
  co_return done;
}

Task<Result<void>> Connection::read(bool handshake) {
  while (!(handshake && session_.ready())) {
    // Of all connections of the loop, so that an idle one keeps none.
    const std::span<char> buffer = slot_.scratch();
    const Result<std::size_t> count = co_await socket_->read_some(buffer);
    if (!count) co_return fail(count.error());
    if (*count == 0) co_return fail(unavailable(pool_.address() + " closed the connection"));
    Result<void> received = receive(buffer, *count);
    output_added();
    if (!received) {
      flush();  // the GOAWAY that tells the peer
      co_return fail(unavailable(pool_.address() + ": " + received.error().message()));
    }
    pool_.on_room();  // new SETTINGS may allow more streams
  }
  co_return Result<void>{};
}

Result<void> Connection::receive(std::span<char> buffer, std::size_t count) {
  received_ = loop_.now();
  if (std::exchange(ping_sent_, false)) schedule_tick();
  Result<void> fed = session_.feed({buffer.data(), count}, received_);
  bool more = count == buffer.size();
  for (int round = 0; fed && more && round < kReadsPerTurn; ++round) {
    bool would_block = false;
    const Result<std::size_t> extra = socket_->try_read(buffer, would_block);
    if (!extra || would_block || *extra == 0) break;  // the next read_some() tells what it is
    fed = session_.feed({buffer.data(), *extra}, received_);
    more = *extra == buffer.size();
  }
  return fed;
}

bool Connection::write_some() {
  Chain& out = session_.output();
  while (!out.empty()) {
    std::array<std::string_view, 64> pieces;
    const std::size_t count = out.gather(pieces);
    const Result<std::size_t> taken = socket_->try_write(std::span(pieces.data(), count));
    if (!taken) {
      abort(taken.error());
      return true;
    }
    if (*taken == 0) return false;
    out.consume(*taken);
    written_ += *taken;
  }
  return true;
}

void Connection::flush() {
  if (blocked_ || !socket_ || securing_ || state_ == State::kClosed) return;
  if (!write_some()) {
    blocked_ = true;
    write_rest(writers_.enter());
    return;
  }
  flushed();
}

Detached Connection::write_rest(Gate::Holder) {
  do {
    const Result<void> writable = co_await socket_->wait_writable();
    if (state_ == State::kClosed) co_return;
    if (!writable) {
      abort(writable.error());
      co_return;
    }
    if (session_.output().size() < kLittleOutput) flushed();
  } while (!write_some());
  blocked_ = false;
  flushed();
}

void Connection::flushed() {
  if (!waiting_.empty()) {
    const std::vector<Exchange*> waiting = std::exchange(waiting_, {});
    for (Exchange* exchange : waiting) exchange->on_writable();
  }
  if (state_ == State::kLeaving && active() == 0 && session_.output().empty()) {
    abort(unavailable("the connection to " + pool_.address() + " was closed because nobody needs it"));
  }
}

std::size_t Connection::room() const noexcept {
  const std::size_t most = session_.peer_max_concurrent_streams();
  return can_open() && active() < most ? most - active() : 0;
}

http2::Stream* Connection::open_stream(Exchange& exchange, std::string_view block, std::span<const http2::Field> extra) {
  http2::Stream* const stream = session_.open_encoded(block, extra, false);
  if (stream == nullptr) return nullptr;
  stream->user = &exchange;
  if (active() == 1) {
    active_since_ = loop_.now();
    const Duration interval = slot_.options().keepalive_interval;
    if (interval > Duration::zero() && (!tick_.pending() || tick_.when() > active_since_ + interval)) schedule_tick();
  }
  if (stream->id() >= kLastStream) shutdown();
  return stream;
}

void Connection::leave() {
  if (state_ != State::kReady) return;
  state_ = State::kLeaving;
  pool_.on_leave(*this);
}

void Connection::shutdown() {
  if (state_ == State::kConnecting) return abort(cancelled("nobody needs the connection to " + pool_.address() + " any more"));
  if (state_ != State::kReady) return;
  leave();
  session_.goaway(http2::ErrorCode::kNoError);
  output_added();
}

void Connection::abort(const Error& reason) {
  if (state_ == State::kClosed) return;
  if (!ended_) ended_ = reason;
  if (state_ == State::kConnecting) {
    if (connecting_ != nullptr) connecting_->cancel(reason);
    return;
  }
  leave();
  state_ = State::kClosed;
  session_.abort(http2::ErrorCode::kCancel);
  waiting_.clear();
  socket_->close();
}

void Connection::suspect(TimePoint since) {
  const bool may_ask = state_ != State::kClosed && slot_.options().keepalive_timeout > Duration::zero();
  if (!may_ask || received_ > since || asked_) return;
  ask();
  schedule_tick();
}

void Connection::ask() {
  session_.ping(kPing);
  ping_sent_ = asked_ = true;
  ping_at_ = loop_.now();
  output_added();
}

Duration Connection::keepalive_interval() const noexcept {
  const Duration wanted = slot_.options().keepalive_interval;
  return asked_ && wanted > Duration::zero() ? std::max(wanted, kPoliteInterval) : wanted;
}

void Connection::heard() {
  if (std::exchange(asked_, false)) schedule_tick();
}

void Connection::schedule_tick() {
  const rpc::ClientOptions& options = slot_.options();
  const bool idle = active() == 0;
  const Duration wait = ping_sent_ ? options.keepalive_timeout : idle ? options.idle_timeout : keepalive_interval();
  if (wait <= Duration::zero()) return;
  const TimePoint since = ping_sent_ ? ping_at_ : idle ? active_since_ : std::max(received_, active_since_);
  tick_.set(loop_, since + wait, [](void* self) { static_cast<Connection*>(self)->tick(); }, this);
}

void Connection::tick() {
  const rpc::ClientOptions& options = slot_.options();
  const TimePoint now = loop_.now();
  if (ping_sent_) {
    if (now >= ping_at_ + options.keepalive_timeout) {
      return abort(unavailable(pool_.address() + " did not answer a PING within " + format_duration(options.keepalive_timeout)));
    }
  } else if (active() == 0) {
    if (options.idle_timeout > Duration::zero() && now >= active_since_ + options.idle_timeout) return shutdown();
  } else if (const Duration interval = keepalive_interval();
             interval > Duration::zero() && now >= std::max(received_, active_since_) + interval) {
    ask();
  }
  schedule_tick();
}

void Connection::on_headers(http2::Stream& stream, const http2::HeaderBlock& block, bool end_stream) {
  heard();
  if (Exchange* exchange = exchange_of(stream)) exchange->on_headers(block, end_stream);
}

void Connection::on_data(http2::Stream& stream, std::string_view data, bool end_stream) {
  heard();
  if (Exchange* exchange = exchange_of(stream)) exchange->on_data(data, end_stream);
}

void Connection::on_trailers(http2::Stream& stream, const http2::HeaderBlock& block) {
  if (Exchange* exchange = exchange_of(stream)) exchange->on_trailers(block);
}

void Connection::on_reset(http2::Stream& stream, http2::ErrorCode code, bool by_peer) {
  if (Exchange* exchange = exchange_of(stream)) exchange->on_reset(code, by_peer);
}

void Connection::on_drained(http2::Stream& stream) {
  if (Exchange* exchange = exchange_of(stream)) exchange->on_writable();
}

void Connection::on_close(http2::Stream&) {
  if (active() == 0) {
    active_since_ = loop_.now();
    if (state_ == State::kLeaving) output_added();
  }
  pool_.on_room();
}

void Connection::on_goaway(std::uint32_t, http2::ErrorCode code, std::string_view debug) {
  farewell_ = debug;
  needs_tls_ = code == http2::ErrorCode::kInadequateSecurity && !pool_.secure();
  leave();
}

}  // namespace micro::client
