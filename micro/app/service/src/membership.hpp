#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/coro/gate.hpp>
#include <micro/log/log.hpp>
#include <micro/registry/registry.hpp>
#include <micro/service/hook.hpp>

namespace micro {

// Says in the log and to the hooks which node of which service joins and leaves: "[user] node [10.0.0.7:4501] join". A node with
// another address for HTTP (metadata "http_address") is shown with both, as goms does: "[10.0.0.7:4501_10.0.0.7:8080]".
// Thread safety: one loop.
class Membership {
 public:
  Membership(registry::Registry& registry, const std::vector<std::shared_ptr<Hook>>& hooks, log::Logger& logger)
      : registry_(registry), hooks_(hooks), logger_(logger) {}
  void start() { spawn(follow(gate_.enter())); }
  Task<void> stop();

 private:
  Task<void> follow(Gate::Holder holder);
  Task<Result<void>> follow_once();
  void joined(const std::string& service, const registry::Node& node);
  void left(const std::string& service, const std::string& id);

  registry::Registry& registry_;
  const std::vector<std::shared_ptr<Hook>>& hooks_;
  log::Logger& logger_;
  Context life_;
  Gate gate_;
  // by service and node id
  std::map<std::pair<std::string, std::string>, registry::Node> known_;
};

}  // namespace micro
