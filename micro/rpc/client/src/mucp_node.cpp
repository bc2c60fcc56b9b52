#include "mucp_node.hpp"

#include <algorithm>
#include <utility>

#include <micro/coro/deadline.hpp>
#include <micro/duration/duration.hpp>
#include <micro/id/id.hpp>

#include "mucp_socket.hpp"
#include "slot.hpp"

namespace micro::client {
namespace {

// Servers of others close what is idle for a minute.
constexpr Duration kLongestIdle = std::chrono::seconds(50);
constexpr std::size_t kMostIdle = 100;
// Between attempts to reach a node while there are others; doubles.
constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(5);

}  // namespace

MucpNode::MucpNode(Slot& slot, std::string address, bool secure)
    : slot_(slot), address_(std::move(address)), secure_(secure), parsed_(Address::parse(address_)) {}

MucpNode::~MucpNode() {
  if (failing_) --slot_.failing_nodes;
}

void MucpNode::release() {
  if (--uses_ == 0) slot_.forget_mucp(*this);
}

std::unique_ptr<MucpSocket> MucpNode::take() {
  while (!idle_.empty()) {
    std::unique_ptr<MucpSocket> socket = std::move(idle_.back().socket);
    idle_.pop_back();
    if (socket->alive()) return socket;
  }
  return nullptr;
}

Task<Result<std::unique_ptr<MucpSocket>>> MucpNode::connect(Context& context) {
  const std::string name = "connect to " + address_;
  if (!parsed_) co_return fail(parsed_.error());
  Context bounded(context);
  const Duration timeout = slot_.options().connect_timeout;
  if (timeout > Duration::zero()) bounded.set_timeout(timeout, slot_.loop().now());
  const ContextDeadline deadline(bounded, slot_.loop());
  slot_.counters.connects.add();
  Result<std::unique_ptr<MucpSocket>> socket = co_await MucpSocket::open(slot_, bounded, *parsed_, secure_);
  // Whoever gave up says nothing about the node.
  if (socket || !context.cancelled()) note(socket.has_value());
  if (socket) co_return socket;
  if (bounded.cancelled() && !context.cancelled()) {
    co_return fail(unavailable(name + ": no answer within " + format_duration(timeout)));
  }
  if (socket.error().reason().starts_with("TLS_")) co_return fail(Error(socket.error()).with_context(name));
  co_return fail(unavailable(socket.error().message()));
}

void MucpNode::note(bool reached) {
  if (reached) {
    if (failing_) --slot_.failing_nodes;
    failing_ = false;
    pause_ = {};
    return;
  }
  if (!failing_) ++slot_.failing_nodes;
  failing_ = true;
  pause_ = pause_ == Duration::zero() ? kFirstPause : std::min(pause_ * 2, kLongestPause);
  retry_at_ = slot_.loop().now() + pause_ / 2 + Duration(static_cast<Duration::rep>(fast_random() % (pause_.count() / 2)));
}

void MucpNode::give_back(std::unique_ptr<MucpSocket> socket) {
  if (slot_.stopping().cancelled()) return;
  Duration keep = kLongestIdle;
  if (const Duration limit = slot_.options().idle_timeout; limit > Duration::zero()) keep = std::min(keep, limit);
  if (idle_.size() >= kMostIdle) idle_.pop_front();
  Idle idle{std::move(socket), slot_.loop().now() + keep};
  idle_.push_back(std::move(idle));
  if (idle_.size() == 1) drop_old();
}

// What is idle longest comes first, so only that has a time.
void MucpNode::drop_old() {
  while (!idle_.empty() && idle_.front().until <= slot_.loop().now()) idle_.pop_front();
  if (idle_.empty()) return;
  timer_.set(slot_.loop(), idle_.front().until, [](void* self) { static_cast<MucpNode*>(self)->drop_old(); }, this);
}

}  // namespace micro::client
