#include "admission.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace micro::rpc {

void Admission::configure(const ServerOptions& options) {
  limit_ = options.max_connections > 0 ? options.max_connections : std::numeric_limits<std::size_t>::max();
  peer_limit_ = options.max_connections_per_peer;
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0 && descriptors.rlim_cur != RLIM_INFINITY) {
    limit_ = std::min<std::size_t>(limit_, descriptors.rlim_cur - descriptors.rlim_cur / 10);
  }
}

// Without the port. Empty for a Unix socket, whose peers have no address.
std::string_view Admission::host_of(std::string_view peer) noexcept {
  return peer.starts_with("unix:") ? std::string_view{} : peer.substr(0, peer.rfind(':'));
}

Admission::Answer Admission::enter(const std::string& peer) {
  if (open_.fetch_add(1, std::memory_order_relaxed) >= limit_) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return Answer::kTooMany;
  }
  const std::string_view host = peer_limit_ > 0 ? host_of(peer) : std::string_view{};
  if (host.empty()) return Answer::kWelcome;
  const std::lock_guard lock(mutex_);
  std::size_t& count = by_host_[std::string(host)];
  if (count >= peer_limit_) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return Answer::kTooManyOfPeer;
  }
  ++count;
  return Answer::kWelcome;
}

void Admission::leave(const std::string& peer) {
  open_.fetch_sub(1, std::memory_order_relaxed);
  const std::string_view host = peer_limit_ > 0 ? host_of(peer) : std::string_view{};
  if (host.empty()) return;
  const std::lock_guard lock(mutex_);
  const auto found = by_host_.find(std::string(host));
  if (found != by_host_.end() && --found->second == 0) by_host_.erase(found);
}

}  // namespace micro::rpc
