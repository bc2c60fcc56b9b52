#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/registry/layout.hpp>
#include <micro/registry/registry.hpp>

namespace micro {
struct RegistryConfig;
namespace log {
class Logger;
}
}  // namespace micro

namespace micro::zookeeper {

struct Options {
  // Members of one ensemble: "10.0.0.1:2181", "[2001:db8::7]:2181"; the port may be left out.
  std::vector<std::string> servers = {"127.0.0.1:2181"};
  // Digest authentication; empty: none. With it, what this registry writes is changed by the same user alone and read by all.
  // The password is in memory and in no message. The connection is not encrypted.
  std::string username;
  std::string password;
  // How long the servers keep the records of a process they do not hear of. Asked for; they allow 2 to 20 of their ticks.
  Duration session_timeout = std::chrono::seconds(10);
  // Of one request.
  Duration timeout = std::chrono::seconds(5);
  // In whose form records are kept: go-micro or kratos, those with folders. Null: go-micro below /micro-registry.
  std::shared_ptr<const registry::Layout> layout;
  // Where to tell of lost sessions and unusable records; null: standard error, warnings only.
  std::shared_ptr<log::Logger> logger;
};

// What a registry counts; read from any thread.
struct Counters {
  std::uint64_t sessions = 0;   // begun: one, and one more for each that was lost
  std::uint64_t restored = 0;   // records written again because their session was lost
  std::uint64_t malformed = 0;  // records that were skipped
};

// Reads variables; std::getenv in programs.
using Environment = std::optional<std::string> (*)(const char* name);

// Options from flags and the environment: the address is a comma-separated list of servers, the layout "go-micro", "kratos" or
// one with a root of its own, "go-micro:/elsewhere"; ZOOKEEPER_USERNAME and ZOOKEEPER_PASSWORD, when both are set.
// INVALID_ARGUMENT says what cannot be used.
Result<Options> make_options(const RegistryConfig& config, Environment environment);

// A registry in ZooKeeper (3.5 or later), through its C client, on a thread and a loop of its own; the client has two more.
//
// Records are where go-micro has them: /micro-registry/<service>/<node id>, '/' in names as '-', with the record as JSON. Names
// that ZooKeeper cannot hold are percent-encoded. Unlike go-micro's they end: they are ephemeral, so the servers remove them
// when the process has not been heard of for `session_timeout`, and the registry itself removes those that were not registered
// again in their time to live. Zero: a persistent node, as go-micro's, which are read like all others.
// A session that was lost (a paused process, servers that lost their data) is followed by a new one, which writes the records
// again at once.
// Watching: lists, then watches of ZooKeeper that are set anew with each read. A watcher goes on through outages that the session
// survives; it fails when the session was lost, for then nobody knows who has left and who only has no record just now, and when
// its registry is destroyed.
//
// Errors: UNAVAILABLE [REGISTRY_UNAVAILABLE] names the servers; PERMISSION_DENIED and UNAUTHENTICATED as ZooKeeper says. Records
// that cannot be read are skipped, counted, and told once to the log.
// Thread safety: all members on any loop. Destroying it ends its watchers and its session, and so its records; it blocks while it
// tells the servers, 3 s at most.
class Registry final : public registry::Registry {
 public:
  // Does not connect yet. INVALID_ARGUMENT for servers and layouts that cannot be used.
  static Result<std::shared_ptr<Registry>> make(Options options);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry() override;

  std::string_view name() const noexcept override { return "zookeeper"; }
  std::string describe() const override;
  Counters counters() const noexcept;

  Task<Result<void>> register_service(Context& context, const registry::Service& service,
                                      const registry::RegisterOptions& options) override;
  Task<Result<void>> deregister_service(Context& context, const registry::Service& service) override;
  Task<Result<std::vector<registry::Service>>> get_service(Context& context, std::string_view name) override;
  Task<Result<std::vector<registry::Service>>> list_services(Context& context) override;
  Task<Result<std::unique_ptr<registry::Watcher>>> watch(Context& context, const registry::WatchOptions& options) override;

 private:
  struct State;
  explicit Registry(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

}  // namespace micro::zookeeper
