#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/registry/registry.hpp>
#include <micro/registry/time_source.hpp>

namespace micro::registry {

// A registry inside one process, for tests and for programs whose services all live together: share one object between them.
//
// Nothing ever fails here except bad arguments and contexts that have ended. A watcher learns of a change on its own loop, one
// turn after it was made. Records run out lazily, when somebody looks, and by a timer while somebody watches.
// Thread safety: any thread. Lifetime: watchers may outlive the registry and then wait for ever; loops must outlive their
// watchers.
class Memory final : public Registry {
 public:
  struct Options {
    // Null: Clock::now().
    std::shared_ptr<const TimeSource> time;
  };

  Memory();
  explicit Memory(Options options);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() override;

  std::string_view name() const noexcept override { return "memory"; }
  std::string describe() const override { return "memory registry of this process"; }
  Task<Result<void>> register_service(Context& context, const Service& service, const RegisterOptions& options) override;
  Task<Result<void>> deregister_service(Context& context, const Service& service) override;
  Task<Result<std::vector<Service>>> get_service(Context& context, std::string_view name) override;
  Task<Result<std::vector<Service>>> list_services(Context& context) override;
  Task<Result<std::unique_ptr<Watcher>>> watch(Context& context, const WatchOptions& options) override;

  // Removes now what has run out and tells the watchers: for tests that have just moved the time source.
  void expire();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace micro::registry
