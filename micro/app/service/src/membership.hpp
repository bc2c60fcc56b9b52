#pragma once

#include <map>
#include <string>

#include <micro/context/context.hpp>
#include <micro/coro/gate.hpp>
#include <micro/log/log.hpp>
#include <micro/registry/registry.hpp>

namespace micro {

// Says in the log which node of which service joins and leaves: "[user] node [10.0.0.7:4501] join"; a node of goms with both its
// addresses: "[user] node [10.0.0.7:9181_10.0.0.7:9081] join".
// Thread safety: one loop.
class Membership {
 public:
  Membership(registry::Registry& registry, log::Logger& logger) : registry_(registry), logger_(logger) {}
  void start() { spawn(follow(gate_.enter())); }
  Task<void> stop();

 private:
  Task<void> follow(Gate::Holder holder);
  Task<Result<void>> follow_once();
  void joined(const std::string& service, const registry::Node& node);
  void left(const std::string& service, const std::string& id);

  registry::Registry& registry_;
  log::Logger& logger_;
  Context life_;
  Gate gate_;
  // service and node id -> address
  std::map<std::pair<std::string, std::string>, std::string> known_;
};

}  // namespace micro
