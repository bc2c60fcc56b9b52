#pragma once

#include <string>
#include <vector>

#include <micro/server/options.hpp>

namespace micro {

class Flags;

// What an operator may change of the limits in ServerOptions.
void add_limit_flags(Flags& flags, rpc::ServerOptions& options);

// What is wrong with them, each with its flag.
std::vector<std::string> limit_faults(const rpc::ServerOptions& options);

}  // namespace micro
