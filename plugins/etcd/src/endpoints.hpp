#pragma once

#include <string>
#include <vector>

#include <micro/error/error.hpp>

namespace micro::etcd {

// Endpoints as people write them, made ready to connect to.
struct Endpoints {
  std::vector<std::string> addresses;  // "10.0.0.1:2379"
  bool tls = false;                    // one of them said https
};

// INVALID_ARGUMENT names the endpoint and what is wrong with it.
Result<Endpoints> parse_endpoints(const std::vector<std::string>& texts);
// "a, b" -> {"a", "b"}
std::vector<std::string> split_list(std::string_view text);
// "a,b"
std::string join(const std::vector<std::string>& texts);

}  // namespace micro::etcd
