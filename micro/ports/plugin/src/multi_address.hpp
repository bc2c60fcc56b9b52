#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <micro/plugin/plugins.hpp>

namespace micro {

// One of the registries that "multi" is made of.
struct MultiPart {
  std::string name;
  RegistryConfig config;
  friend bool operator==(const MultiPart& a, const MultiPart& b) {
    return a.name == b.name && a.config.address == b.config.address && a.config.layout == b.config.layout;
  }
};

// "etcd+kratos@10.0.0.1:2379;mdns;static@(greeter=a:1;users=b:2)": parts separated by ';', each <name>[+<layout>][@<address>]; an
// address with a ';' in it is put into parentheses. INVALID_ARGUMENT says what is wrong at which position.
Result<std::vector<MultiPart>> parse_multi(std::string_view text);

}  // namespace micro
