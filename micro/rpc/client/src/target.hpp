#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <micro/error/error.hpp>

namespace micro::client {

// A service as callers may name it, when it is more than a name:
//
//   discovery:///greeter                         by that name in the registry
//   direct:///10.0.0.7:8080,10.0.0.8:8080        at these addresses
//   unix:/run/greeter.sock, unix:///run/x.sock   at this socket
struct Target {
  std::string name;                    // in the registry; empty when there are addresses
  std::vector<std::string> addresses;  // in the form of Address
};

// INVALID_ARGUMENT says what is wrong and lists the forms.
Result<Target> parse_target(std::string_view text);

// What to ask the registry for: the name of a discovery target, else the text itself. A view into `text`.
std::string_view registry_name(std::string_view text) noexcept;

}  // namespace micro::client
