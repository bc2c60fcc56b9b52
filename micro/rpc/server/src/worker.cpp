#include "worker.hpp"

#include <ctime>

#include <micro/coro/sleep.hpp>

#include "grpc_call.hpp"

namespace micro::rpc {
namespace {

// What the shared read buffer holds, and how many finished calls are kept for the next ones.
constexpr std::size_t kScratchSize = 64 * 1024;
constexpr std::size_t kMaxFreeCalls = 1024;

// After their calls are cancelled, handlers get this long to notice.
constexpr Duration kCancelGrace = std::chrono::seconds(1);

}  // namespace

Worker::Worker(Loop& loop, const ServerState& state) : loop_(loop), state_(state), scratch_(kScratchSize) {}

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
  accepting_ = true;
  spawn(accept_loop());
}

Task<void> Worker::accept_loop() {
  while (true) {
    Result<std::unique_ptr<net::Stream>> stream = co_await listener_->accept();
    if (!stream) break;  // closed
    spawn(serve(std::move(*stream)));
  }
  accepting_ = false;
  changed_.set();
}

Task<void> Worker::serve(std::unique_ptr<net::Stream> stream) {
  counters_.connections.add();
  {
    Connection connection(*this, std::move(stream));
    co_await connection.serve();
  }
  counters_.connections_closed.add();
  changed_.set();
}

void Worker::link(Connection& connection) noexcept {
  connection.next_ = connections_;
  if (connections_ != nullptr) connections_->previous_ = &connection;
  connections_ = &connection;
  ++connection_count_;
  if (draining_) connection.drain();
}

void Worker::unlink(Connection& connection) noexcept {
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  (connection.previous_ != nullptr ? connection.previous_->next_ : connections_) = connection.next_;
  --connection_count_;
}

void Worker::call_begun() noexcept {
  ++open_calls_;
  counters_.calls.add();
}

void Worker::call_ended(bool failed) noexcept {
  --open_calls_;
  counters_.calls_ended.add();
  if (failed) counters_.calls_failed.add();
  if (draining_) changed_.set();
}

// Waits until no call is open and no connection is left, or until the deadline; true when quiet.
Task<bool> Worker::wait_until_quiet(TimePoint deadline) {
  Timer timer;
  bool late = loop_.now() >= deadline;
  struct Expiry {
    bool& late;
    Event& changed;
  } expiry{late, changed_};
  timer.set(loop_, deadline, [](void* p) {
    auto* self = static_cast<Expiry*>(p);
    self->late = true;
    self->changed.set();
  }, &expiry);
  while (open_calls_ > 0 || connection_count_ > 0 || accepting_) {
    if (open_calls_ == 0) {
      // Only idle connections are left, whose peers had the whole drain to see that we leave.
      for (Connection* c = connections_; c != nullptr;) {
        Connection* next = c->next_;
        c->close_if_idle();
        c = next;
      }
    }
    if (late) co_return false;
    changed_.reset();
    co_await changed_.wait();
  }
  co_return true;
}

Task<std::size_t> Worker::stop(TimePoint deadline) {
  draining_ = true;
  if (listener_) listener_->close();
  for (Connection* c = connections_; c != nullptr; c = c->next_) c->drain();
  if (!co_await wait_until_quiet(deadline)) {
    const Error reason = unavailable("the server is stopping and the call did not end in time");
    for (Connection* c = connections_; c != nullptr;) {
      Connection* next = c->next_;
      c->abort(reason);
      c = next;
    }
    co_await wait_until_quiet(loop_.now() + kCancelGrace);
  }
  co_return open_calls_;
}

std::string_view Worker::date() { return date_.at(std::time(nullptr)); }

std::unique_ptr<GrpcCall> Worker::take_grpc_call() {
  if (free_calls_.empty()) return std::make_unique<GrpcCall>(*this);
  std::unique_ptr<GrpcCall> call = std::move(free_calls_.back());
  free_calls_.pop_back();
  return call;
}

void Worker::give_back(std::unique_ptr<GrpcCall> call) noexcept {
  if (free_calls_.size() < kMaxFreeCalls) free_calls_.push_back(std::move(call));
}

}  // namespace micro::rpc
