#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/registry/registry.hpp>

namespace micro::registry {

// Several registries as one: every record is written to all of them and read from all of them. For moving from one registry to
// another, and for finding a fleet that is spread over several.
//
// Writing: all are written side by side; what one cannot do keeps none of the others from it. UNAVAILABLE [PARTLY_REGISTERED]
// says that some have the record, and names those that have not, with their reasons; registering again heals it. Registries that
// are read-only are left out; when all are, it is READ_ONLY.
//
// Reading: all are asked side by side, and their nodes put together. A node id that several know is one node, as the first of
// them in order has it. A registry that cannot be asked does not hide the nodes of the others: what it answered last for that
// service goes on being used. NOT_FOUND when those that answer know no node, UNAVAILABLE only when none can be asked.
//
// Watching: the changes of all of them, told once a node. When the watch of one ends, or one that was away is back, the watcher
// fails with the reason, as any watcher does that may have missed something: make a new one, which goes on with those that work.
//
// Thread safety: any loop, like the registries it is made of. Watchers may outlive it.
class Multi final : public Registry {
 public:
  struct Options {
    // Of one question to one registry, so that one that hangs does not use up the time of the caller.
    Duration timeout = std::chrono::seconds(2);
    // Pauses between tries to watch a registry that is away: from the first to the second, doubling, each shortened by up to half
    // at random.
    Duration min_backoff = std::chrono::milliseconds(50);
    Duration max_backoff = std::chrono::seconds(5);
  };

  // At least one; none is null.
  explicit Multi(std::vector<std::shared_ptr<Registry>> registries);
  Multi(std::vector<std::shared_ptr<Registry>> registries, Options options);
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  ~Multi() override;

  std::string_view name() const noexcept override { return "multi"; }
  // "multi registry of etcd registry at 10.0.0.1:2379, mdns registry ...".
  std::string describe() const override;
  Task<Result<void>> register_service(Context& context, const Service& service, const RegisterOptions& options) override;
  Task<Result<void>> deregister_service(Context& context, const Service& service) override;
  Task<Result<std::vector<Service>>> get_service(Context& context, std::string_view name) override;
  Task<Result<std::vector<Service>>> list_services(Context& context) override;
  Task<Result<std::unique_ptr<Watcher>>> watch(Context& context, const WatchOptions& options) override;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace micro::registry
