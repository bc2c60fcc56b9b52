#pragma once

#include <string>
#include <vector>

#include <micro/error/error.hpp>

namespace micro::zookeeper {

// The same with a port each, 2181 where it was left out. INVALID_ARGUMENT names the server.
Result<std::vector<std::string>> check_servers(const std::vector<std::string>& servers);

}  // namespace micro::zookeeper
