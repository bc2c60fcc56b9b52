#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <memory>

#include <micro/net/listener.hpp>

#include "socket_address.hpp"

namespace micro::net {
namespace {

enum class Rank { kGlobalFour, kGlobalSix, kLoopbackFour, kLoopbackSix, kUnusable };

Rank rank(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr || (entry.ifa_flags & IFF_UP) == 0) return Rank::kUnusable;
  if (entry.ifa_addr->sa_family == AF_INET) {
    const std::uint32_t four = ntohl(reinterpret_cast<const sockaddr_in*>(entry.ifa_addr)->sin_addr.s_addr);
    if ((four >> 24) == IN_LOOPBACKNET) return Rank::kLoopbackFour;
    const bool link_local = (four >> 16) == 0xA9FE;  // 169.254/16, RFC 3927
    return link_local || four == INADDR_ANY ? Rank::kUnusable : Rank::kGlobalFour;
  }
  if (entry.ifa_addr->sa_family == AF_INET6) {
    const in6_addr& six = reinterpret_cast<const sockaddr_in6*>(entry.ifa_addr)->sin6_addr;
    if (IN6_IS_ADDR_LOOPBACK(&six)) return Rank::kLoopbackSix;
    return IN6_IS_ADDR_LINKLOCAL(&six) || IN6_IS_ADDR_UNSPECIFIED(&six) ? Rank::kUnusable : Rank::kGlobalSix;
  }
  return Rank::kUnusable;
}

}  // namespace

std::vector<std::string> reachable_hosts() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  std::vector<std::string> hosts;
  for (const Rank wanted : {Rank::kGlobalFour, Rank::kGlobalSix, Rank::kLoopbackFour, Rank::kLoopbackSix}) {
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
      if (rank(*entry) == wanted) hosts.push_back(host_of(entry->ifa_addr));
    }
  }
  return hosts;
}

}  // namespace micro::net
