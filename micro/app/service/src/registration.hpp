#pragma once

#include <micro/context/context.hpp>
#include <micro/coro/gate.hpp>
#include <micro/log/log.hpp>
#include <micro/registry/registry.hpp>

namespace micro {

// Keeps a node in the registry: registers, renews every interval, tries again when the registry was away, leaves at the end.
// Thread safety: one loop.
class Registration {
 public:
  struct Options {
    Duration ttl;
    Duration interval;
  };
  Registration(registry::Registry& registry, registry::Service record, Options options, log::Logger& logger);

  // Registers for the first time, and starts to renew when that went well; also when only some of several registries have the
  // node. A registry that cannot be written is no failure: the log says so, and that is all.
  Task<Result<void>> start();
  bool registered() const noexcept { return registered_; }
  // Stops renewing and leaves the registry; whether it was in there, which it was not when start() failed.
  Task<bool> stop();

 private:
  Task<void> renew(Gate::Holder holder, bool failing);
  Task<Result<void>> register_once();

  registry::Registry& registry_;
  registry::Service record_;
  Options options_;
  log::Logger& logger_;
  Context life_;
  Gate gate_;
  bool registered_ = false;
};

}  // namespace micro
