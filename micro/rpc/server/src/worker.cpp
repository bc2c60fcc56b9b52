#include "worker.hpp"

#include <algorithm>
#include <ctime>

#include <micro/call/reasons.hpp>

#include "grpc_call.hpp"
#include "http_call.hpp"

namespace micro::rpc {
namespace {

// What the shared read buffer holds, and how many finished calls are kept for the next ones.
constexpr std::size_t kScratchSize = 64 * 1024;
constexpr std::size_t kMaxFreeCalls = 1024;

// Connections one turn of a sweep looks at, so that calls do not wait for thousands of idle ones.
constexpr int kSweptPerTurn = 256;

// On stopping, a peer without calls gets this long to acknowledge that we leave (HTTP/2: to answer the PING behind GOAWAY) before
// its connection is closed.
constexpr Duration kIdleGrace = std::chrono::seconds(1);

// Calls that are cancelled get this long to tell their callers, and handlers then as long to notice.
constexpr Duration kCancelGrace = std::chrono::milliseconds(500);

// A call from the pool, or a new one.
template <class C>
std::unique_ptr<C> take(std::vector<std::unique_ptr<C>>& free, Worker& worker) {
  if (free.empty()) return std::make_unique<C>(worker);
  std::unique_ptr<C> call = std::move(free.back());
  free.pop_back();
  return call;
}

}  // namespace

Worker::Worker(Loop& loop, const ServerState& state)
    : loop_(loop),
      state_(state),
      unfinished_(state.unfinished),
      unsent_(state.unsent),
      heartbeats_(loop, state.options.keepalive_interval),
      scratch_(kScratchSize) {}

Worker::~Worker() = default;

Result<void> Worker::listen(const Address& address, bool shared) {
  net::ListenOptions options;
  options.reuse_port = shared;
  auto listener = net::Listener::listen(loop_, address, options);
  if (!listener) return std::unexpected(std::move(listener.error()));
  listener_ = std::move(*listener);
  return {};
}

void Worker::close_listener() {
  if (listener_) listener_->close();
  listener_.reset();
}

void Worker::accept() {
  if (!listener_) return;  // of a Unix socket another worker has the one there is
  accepting_ = true;
  spawn(accept_loop());
}

Task<void> Worker::accept_loop() {
  while (true) {
    Result<std::unique_ptr<net::Stream>> stream = co_await listener_->accept();
    if (!stream) break;  // closed
    std::string peer = state_.admission.counts_peers() ? (*stream)->peer() : std::string();
    if (admit(peer)) spawn(serve(std::move(*stream), std::move(peer)));
  }
  accepting_ = false;
  changed_.set();
}

bool Worker::admit(const std::string& peer) {
  switch (state_.admission.enter(peer)) {
    case Admission::Answer::kWelcome:
      return true;
    case Admission::Answer::kTooMany:
      counters_.refused_connections.add();
      return false;
    case Admission::Answer::kTooManyOfPeer:
      counters_.refused_peer_connections.add();
      return false;
  }
  return false;
}

Task<void> Worker::serve(std::unique_ptr<net::Stream> stream, std::string peer) {
  counters_.connections.add();
  {
    Connection connection(*this, std::move(stream));
    co_await connection.serve();
  }
  counters_.connections_closed.add();
  state_.admission.leave(peer);
  changed_.set();
}

void Worker::link(Connection& connection) noexcept {
  connection.next_ = connections_;
  if (connections_ != nullptr) connections_->previous_ = &connection;
  connections_ = &connection;
  ++connection_count_;
  if (!sweep_timer_.pending()) {
    sweep_timer_.set(
        loop_, loop_.now() + ConnectionWatch::interval(state_.options), [](void* self) { static_cast<Worker*>(self)->sweep(); },
        this);
  }
  if (draining_) connection.drain();
}

void Worker::unlink(Connection& connection) noexcept {
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  (connection.previous_ != nullptr ? connection.previous_->next_ : connections_) = connection.next_;
  --connection_count_;
  if (sweep_at_ == &connection) sweep_at_ = connection.next_;
}

// Looks at every connection once, some a turn, then waits for the next time. Without connections there is no timer.
void Worker::sweep() {
  if (sweep_at_ == nullptr) {
    sweep_at_ = connections_;
    sweep_began_ = loop_.now();
  }
  for (int i = 0; sweep_at_ != nullptr && i < kSweptPerTurn; ++i) {
    Connection& connection = *sweep_at_;
    sweep_at_ = connection.next_;
    connection.look(loop_.now());
  }
  if (connections_ == nullptr) return;
  const TimePoint next = sweep_began_ + ConnectionWatch::interval(state_.options);
  sweep_timer_.set(
      loop_, sweep_at_ != nullptr ? loop_.now() : next, [](void* self) { static_cast<Worker*>(self)->sweep(); }, this);
}

void Worker::call_begun(OpenCall& call) noexcept {
  open_calls_.add(call);
  counters_.calls.add();
}

void Worker::call_ended(OpenCall& call, bool failed) noexcept {
  open_calls_.remove(call);
  counters_.calls_ended.add();
  if (failed) counters_.calls_failed.add();
  if (draining_) changed_.set();
}

void Worker::count_refused(const Error& error) noexcept {
  if (error.code() == Code::kResourceExhausted) counters_.oversized.add();
}

void Worker::count_cancelled(const Error& reason) noexcept {
  if (reason.reason() == kRequestTimeoutReason) counters_.request_timeouts.add();
}

// Waits until no call is open and no connection is left, or until the deadline; true when quiet. Connections without calls are
// closed: those that can lose nothing at once, the others too when `force_idle` is set.
Task<bool> Worker::wait_until_quiet(TimePoint deadline, bool force_idle) {
  struct Expiry {
    bool late;
    Event& changed;
  } expiry{loop_.now() >= deadline, changed_};
  Timer timer;
  timer.set(
      loop_, deadline,
      [](void* p) {
        auto* self = static_cast<Expiry*>(p);
        self->late = true;
        self->changed.set();
      },
      &expiry);
  while (open_calls_.size() > 0 || connection_count_ > 0 || accepting_) {
    for_each_connection([&](Connection& connection) { connection.close_if_idle(force_idle); });
    if (expiry.late) co_return false;
    changed_.reset();
    co_await changed_.wait();
  }
  co_return true;
}

template <class F>
void Worker::for_each_connection(F action) {
  for (Connection* connection = connections_; connection != nullptr;) {
    Connection* const next = connection->next_;
    action(*connection);
    connection = next;
  }
}

Task<std::size_t> Worker::stop(TimePoint deadline) {
  draining_ = true;
  if (listener_) listener_->close();
  for_each_connection([](Connection& connection) { connection.drain(); });
  heartbeats_.drain();
  const TimePoint idle_deadline = std::min(deadline, loop_.now() + kIdleGrace);
  bool quiet = co_await wait_until_quiet(idle_deadline, false);
  if (!quiet) quiet = co_await wait_until_quiet(deadline, true);
  if (!quiet) {
    const Error reason = unavailable("the server is stopping and the call did not end in time");
    open_calls_.cancel_all(reason);
    quiet = co_await wait_until_quiet(loop_.now() + kCancelGrace, true);
    if (!quiet) {
      for_each_connection([&](Connection& connection) { connection.abort(reason); });
      co_await wait_until_quiet(loop_.now() + kCancelGrace, true);
    }
  }
  sweep_timer_.cancel();
  co_return open_calls_.size();
}

Error Worker::no_room() {
  counters_.memory_refusals.add();
  return Error(Code::kUnavailable, "SERVER_MEMORY",
               "the server holds as many bytes of unfinished requests as it may (option max_buffered_bytes); try again later");
}

std::string_view Worker::date() { return date_.at(std::time(nullptr)); }

std::unique_ptr<GrpcCall> Worker::take_grpc_call() { return take(free_calls_, *this); }

void Worker::give_back(std::unique_ptr<GrpcCall> call) noexcept {
  if (free_calls_.size() < kMaxFreeCalls) free_calls_.push_back(std::move(call));
}

std::unique_ptr<HttpCall> Worker::take_http_call() { return take(free_http_calls_, *this); }

void Worker::give_back(std::unique_ptr<HttpCall> call) noexcept {
  if (free_http_calls_.size() < kMaxFreeCalls) free_http_calls_.push_back(std::move(call));
}

}  // namespace micro::rpc
