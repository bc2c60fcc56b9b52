#include "reachable.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace micro {

bool is_wildcard(std::string_view host) {
  if (host.empty()) return true;
  const std::string text(host.substr(0, host.find('%')));
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return four.s_addr == INADDR_ANY;
  in6_addr six{};
  if (inet_pton(AF_INET6, text.c_str(), &six) != 1) return false;
  const bool mapped_any =
      IN6_IS_ADDR_V4MAPPED(&six) && std::all_of(six.s6_addr + 12, six.s6_addr + 16, [](auto b) { return b == 0; });
  return IN6_IS_ADDR_UNSPECIFIED(&six) || mapped_any;
}

std::string reachable_address(const Address& bound, const std::vector<std::string>& hosts) {
  if (bound.is_unix() || !is_wildcard(bound.host)) return bound.to_string();
  // "::" listens on IPv4, too; the other way round it does not.
  const bool four_only = bound.host.contains('.') && !bound.host.contains(':');
  const auto listened_on = [&](const std::string& host) { return !four_only || !host.contains(':'); };
  const auto host = std::ranges::find_if(hosts, listened_on);
  const Address reachable{.host = host == hosts.end() ? "127.0.0.1" : *host, .port = bound.port, .unix_path = {}};
  return reachable.to_string();
}

}  // namespace micro
