#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <micro/uri/uri.hpp>

namespace micro {

// Whether a host means "all interfaces", in any spelling: "", "0.0.0.0", "::", "0:0::0". Nobody can connect to it.
bool is_wildcard(std::string_view host);

// What others can connect to when `bound` is listened on: itself, or the first of `hosts` (this machine's addresses, the best one
// first) that it listens on when it is a wildcard. IPv6 addresses are in brackets.
std::string reachable_address(const Address& bound, const std::vector<std::string>& hosts);

}  // namespace micro
