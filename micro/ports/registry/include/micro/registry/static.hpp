#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/registry/registry.hpp>

namespace micro::registry {

// Services that somebody has written down: in a text, or in a file of records that is read again when it changes. For places
// without a registry, for fixed peers, and for tests.
//
// The text names services and their addresses, for flags and the environment; "direct:///" may stand before the addresses:
//
//   greeter=direct:///10.0.0.7:8080,10.0.0.8:8080;users=[::1]:9090,unix:/run/users.sock
//
// Its nodes have the id "<service>-<address>", the version "latest" and no metadata. The file ("file:services.json",
// "file:/etc/micro/services.json", "file:///etc/...") has everything a record can have: a JSON array of records in go-micro's
// form (record.hpp). Replace it by renaming a complete new one over it.
//
// Read-only: registering is refused with FAILED_PRECONDITION [READ_ONLY]. A service with this registry starts all the same and
// says in its log that it is not registered.
//
// A file that becomes unreadable or wrong takes nothing away: the last good records stay, each watcher is told once (UNAVAILABLE,
// with the reason and the position), and the next good file is used. Thread safety: any loop; the file is read in place, it is
// small. Watchers may outlive the registry.
class Static final : public Registry {
 public:
  struct Options {
    // How often watchers look whether the file has changed; it costs a stat(2). get_service() and list_services() always look.
    Duration poll_interval = std::chrono::milliseconds(500);
  };

  // What is given stays as it is; several nodes a record are fine.
  explicit Static(std::vector<Service> services);
  Static(const Static&) = delete;
  Static& operator=(const Static&) = delete;
  ~Static() override;

  // A text or "file:<path>", as above: what --registry_address takes. INVALID_ARGUMENT says what is wrong at which position.
  static Result<std::shared_ptr<Static>> make(std::string_view text);
  // The file must be there and right. NOT_FOUND, PERMISSION_DENIED ... and INVALID_ARGUMENT name it and say why not.
  static Result<std::shared_ptr<Static>> from_file(std::string path, Options options);
  // The services of a text.
  static Result<std::vector<Service>> parse(std::string_view text);

  std::string_view name() const noexcept override { return "static"; }
  std::string describe() const override;
  Task<Result<void>> register_service(Context& context, const Service& service, const RegisterOptions& options) override;
  Task<Result<void>> deregister_service(Context& context, const Service& service) override;
  Task<Result<std::vector<Service>>> get_service(Context& context, std::string_view name) override;
  Task<Result<std::vector<Service>>> list_services(Context& context) override;
  Task<Result<std::unique_ptr<Watcher>>> watch(Context& context, const WatchOptions& options) override;

 private:
  class State;
  explicit Static(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace micro::registry
