#include "node_pool.hpp"

#include <algorithm>
#include <limits>

#include <micro/id/id.hpp>

#include "connection.hpp"
#include "slot.hpp"

namespace micro::client {
namespace {

// Between attempts to reach a node that nobody has to wait for; doubles.
constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(5);

// RFC 9113, section 8.3.1 wants an authority; a Unix socket has none. gRPC implementations say "localhost" there.
std::string_view authority_of(const Result<Address>& address, std::string_view text) {
  return address && address->is_unix() ? std::string_view("localhost") : text;
}

}  // namespace

NodePool::NodePool(Slot& slot, std::string address, bool secure)
    : slot_(slot),
      address_(std::move(address)),
      secure_(secure),
      parsed_(Address::parse(address_)),
      blocks_(authority_of(parsed_, address_), secure ? "https" : "http") {}

NodePool::~NodePool() {
  if (failing_) --slot_.failing_nodes;
}

void NodePool::release() {
  if (--uses_ != 0) return;
  if (all_.empty()) return slot_.forget_pool(*this);
  const std::vector<Connection*> connections = usable_;
  for (Connection* connection : connections) connection->shutdown();
}

Connection* NodePool::take(bool granted) {
  if (granted)
    --granted_;
  else if (first_ != nullptr || granted_ != 0)
    return nullptr;
  Connection* best = nullptr;
  for (Connection* connection : usable_) {
    if (connection->can_open() && (best == nullptr || connection->active() < best->active())) best = connection;
  }
  if (best != nullptr && best->active() != 0) connect_if_needed();
  return best;
}

// One attempt at a time, also when several connections are wanted: a node that is down is not hammered.
void NodePool::connect_if_needed() {
  if (connecting_ == 0 && usable_.size() < std::max<std::size_t>(1, slot_.options().connections_per_node)) connect();
}

void NodePool::connect() {
  ++connecting_;
  Connection& connection = Connection::open(*this);
  usable_.push_back(&connection);
  all_.push_back(&connection);
}

void NodePool::probe() {
  if (connecting_ == 0 && slot_.loop().now() >= retry_at_) connect_if_needed();
}

std::size_t NodePool::room() const noexcept {
  std::size_t room = 0;
  for (const Connection* connection : usable_) room += connection->room();
  return room;
}

void NodePool::wake_waiters() {
  for (std::size_t free = room(); first_ != nullptr && granted_ < free;) {
    Waiting& next = *first_;
    remove(next);
    ++granted_;
    next.waiter_.wake();
  }
}

void NodePool::fail_waiters(const Error& error) {
  while (first_ != nullptr) {
    Waiting& next = *first_;
    remove(next);
    next.error_ = error;
    next.waiter_.wake();
  }
}

void NodePool::abort(const Error& reason) {
  fail_waiters(reason);
  const std::vector<Connection*> connections = all_;
  for (Connection* connection : connections) connection->abort(reason);
}

void NodePool::on_ready(Connection&) {
  --connecting_;
  if (failing_) --slot_.failing_nodes;
  failing_ = false;
  pause_ = {};
  wake_waiters();
}

void NodePool::on_connect_failed(Connection& connection, const Error& error) {
  --connecting_;
  std::erase(usable_, &connection);
  if (error.code() == Code::kCancelled) return fail_waiters(error);  // by ourselves: says nothing about the node
  pause_ = pause_ == Duration::zero() ? kFirstPause : std::min(pause_ * 2, kLongestPause);
  retry_at_ = slot_.loop().now() + pause_ / 2 + Duration(static_cast<Duration::rep>(fast_random() % (pause_.count() / 2)));
  // With another connection at work those who wait only wait for a turn there.
  if (!usable_.empty()) return;
  if (!failing_) ++slot_.failing_nodes;
  failing_ = true;
  fail_waiters(error);
}

void NodePool::on_leave(Connection& connection) {
  std::erase(usable_, &connection);
  if (first_ != nullptr) connect_if_needed();
}

void NodePool::on_gone(Connection& connection) {
  std::erase(all_, &connection);
  if (all_.empty() && uses_ == 0) slot_.forget_pool(*this);
}

void NodePool::push(Waiting& waiting) noexcept {
  waiting.queued_ = true;
  waiting.next_ = nullptr;
  waiting.previous_ = last_;
  (last_ != nullptr ? last_->next_ : first_) = &waiting;
  last_ = &waiting;
}

void NodePool::remove(Waiting& waiting) noexcept {
  waiting.queued_ = false;
  (waiting.previous_ != nullptr ? waiting.previous_->next_ : first_) = waiting.next_;
  (waiting.next_ != nullptr ? waiting.next_->previous_ : last_) = waiting.previous_;
}

void NodePool::Waiting::await_suspend(std::coroutine_handle<> handle) {
  pool_.push(*this);
  waiter_.suspend(handle, nullptr, &context_);
  pool_.connect_if_needed();
  pool_.wake_waiters();
}

Result<void> NodePool::Waiting::await_resume() {
  if (queued_) pool_.remove(*this);
  if (error_) return fail(std::move(*error_));
  return waiter_.outcome();
}

}  // namespace micro::client
