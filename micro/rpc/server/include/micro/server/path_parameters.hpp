#pragma once

#include <string>
#include <utility>
#include <vector>

namespace micro::rpc {

// The values of "{name}" segments of a route, decoded, in the order of the pattern.
using PathParameters = std::vector<std::pair<std::string, std::string>>;

}  // namespace micro::rpc
