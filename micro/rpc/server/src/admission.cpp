#include "admission.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
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

// Without the port. Of an IPv6 address the first 64 bits: whoever has one has all of them. Empty for a Unix socket, whose peers
// have no address.
std::string Admission::host_of(std::string_view peer) {
  if (peer.starts_with("unix:")) return {};
  const std::string_view host = peer.substr(0, peer.rfind(':'));
  if (!host.starts_with('[') || !host.ends_with(']')) return std::string(host);
  const std::string address(host.substr(1, host.size() - 2));
  in6_addr bytes;
  if (::inet_pton(AF_INET6, address.substr(0, address.find('%')).c_str(), &bytes) != 1) return address;
  // On a link all have the same first bits.
  if (IN6_IS_ADDR_V4MAPPED(&bytes) || IN6_IS_ADDR_LINKLOCAL(&bytes)) return address;
  return {reinterpret_cast<const char*>(&bytes), 8};
}

Admission::Answer Admission::enter(const std::string& peer) {
  if (open_.fetch_add(1, std::memory_order_relaxed) >= limit_) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return Answer::kTooMany;
  }
  const std::string host = peer_limit_ > 0 ? host_of(peer) : std::string();
  if (host.empty()) return Answer::kWelcome;
  const std::lock_guard lock(mutex_);
  std::size_t& count = by_host_[host];
  if (count >= peer_limit_) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return Answer::kTooManyOfPeer;
  }
  ++count;
  return Answer::kWelcome;
}

void Admission::leave(const std::string& peer) {
  open_.fetch_sub(1, std::memory_order_relaxed);
  const std::string host = peer_limit_ > 0 ? host_of(peer) : std::string();
  if (host.empty()) return;
  const std::lock_guard lock(mutex_);
  const auto found = by_host_.find(host);
  if (found != by_host_.end() && --found->second == 0) by_host_.erase(found);
}

}  // namespace micro::rpc
