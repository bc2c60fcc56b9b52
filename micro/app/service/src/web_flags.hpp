#pragma once

#include <string>
#include <vector>

#include <micro/server/options.hpp>

namespace micro {

class Flags;

// What an operator may say about pages of other sites.
class WebFlags {
 public:
  // `options` must outlive Flags::parse().
  void add(Flags& flags, rpc::ServerOptions& options);
  // Puts what was said into the options. The result is what is wrong with them, each with its flag.
  std::vector<std::string> apply(rpc::ServerOptions& options) const;

 private:
  std::string origins_;
};

}  // namespace micro
