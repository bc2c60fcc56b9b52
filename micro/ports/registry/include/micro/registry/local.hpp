#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/registry/registry.hpp>
#include <micro/registry/time_source.hpp>

namespace micro::registry {

// The default registry: a directory shared by the processes of one machine. No server is needed, and a process that ends, however
// it ends, takes its records with it.
//
// One JSON file a node, <directory>/<service>/<node id>.json (names percent-encoded), which its owner keeps open and locked
// (flock) as long as it is registered. Whoever finds a record unlocked knows that its owner is gone and removes it; watchers are
// told of the owner's end by the kernel (inotify). A process that hangs keeps its lock, so a record also carries the time until
// which it is valid (RegisterOptions::ttl): past it the record is hidden until its owner renews it. Other files in the directory
// are ignored.
//
// The directory must be on a local file system. Who may write into it decides who may register: it is created for the user alone.
// Errors: UNAVAILABLE names the directory, the reason and --registry_address. INVALID_ARGUMENT also for names of more than about
// 240 bytes when encoded. Thread safety: any loop; file operations are done in place, they are few and small. A process that
// forks without exec hands its records on to the child. Destroying the object ends its records like the end of the process.
class Local final : public Registry {
 public:
  struct Options {
    // Empty: default_directory(). Created when it is missing, its parents too.
    std::string directory;
    // Null: Clock::now(), which is the same for all processes of a machine. Records of several processes need the same source.
    std::shared_ptr<const TimeSource> time;
  };

  Local();
  explicit Local(Options options);
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  ~Local() override;

  // $XDG_RUNTIME_DIR/micro where that directory exists, /tmp/micro-<uid> elsewhere. It is refused when it is a symbolic link,
  // belongs to another user or may be written by others: everybody can make files in /tmp.
  static std::string default_directory();
  const std::string& directory() const noexcept;

  std::string_view name() const noexcept override { return "local"; }
  std::string describe() const override;
  Task<Result<void>> register_service(Context& context, const Service& service, const RegisterOptions& options) override;
  Task<Result<void>> deregister_service(Context& context, const Service& service) override;
  Task<Result<std::vector<Service>>> get_service(Context& context, std::string_view name) override;
  Task<Result<std::vector<Service>>> list_services(Context& context) override;
  Task<Result<std::unique_ptr<Watcher>>> watch(Context& context, const WatchOptions& options) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace micro::registry
