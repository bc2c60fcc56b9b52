#pragma once

#include <memory>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/coro/gate.hpp>
#include <micro/log/log.hpp>
#include <micro/registry/registry.hpp>
#include <micro/service/hook.hpp>

namespace micro {

// Keeps a node in the registry as long as the hooks' checks pass: registers, renews every interval, tries again when the registry
// was away, leaves at the end. Renewing is registering, so a record that was lost, for whatever reason, is back after an
// interval. Thread safety: one loop.
class Registration {
 public:
  struct Options {
    Duration ttl;
    Duration interval;
    // After a failed renewal or check; the record may be gone already. At most the interval.
    Duration retry = std::chrono::seconds(1);
    // Of one question to the registry, and of a check.
    Duration timeout = std::chrono::seconds(5);
    // On leaving, the pauses between three tries: this one, and twice as long.
    Duration leave_retry = std::chrono::milliseconds(200);
  };
  Registration(registry::Registry& registry, registry::Service record, Options options,
               const std::vector<std::shared_ptr<Hook>>& hooks, log::Logger& logger);

  // Registers for the first time, and starts to renew when that went well; also when only some of several registries have the
  // node. A check that fails is no error: the node is registered when it passes. Nor is a registry that cannot be written: the
  // log says so, and that is all.
  Task<Result<void>> start();
  // Stops renewing and leaves the registry, within `timeout`; whether it may have been in there.
  Task<bool> stop();
  bool registered() const noexcept { return registered_; }

 private:
  Task<void> renew(Gate::Holder holder);
  Task<Result<void>> check();
  bool give_up(const Result<void>& done);
  Task<Result<void>> register_once();
  Task<Result<void>> withdraw();
  void tell(const Result<void>& fit, const Result<void>& done);
  Duration pause() const;

  registry::Registry& registry_;
  const registry::Service record_;
  const Options options_;
  const std::vector<std::shared_ptr<Hook>>& hooks_;
  log::Logger& logger_;
  Context life_;
  Gate gate_;
  bool registered_ = false;  // may be: true also when the answer was lost
  bool unfit_ = false;       // the check failed last time
  bool failing_ = false;     // the registry failed last time
};

}  // namespace micro
