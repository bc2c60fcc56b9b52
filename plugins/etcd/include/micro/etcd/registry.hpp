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

namespace micro::etcd {

struct Options {
  // Members of one cluster: "10.0.0.1:2379", "http://10.0.0.1:2379", "https://etcd.example:2379"; the port may be left out. When
  // one does not answer, the next is asked. One that says https makes all of them use TLS.
  std::vector<std::string> endpoints = {"127.0.0.1:2379"};
  // Empty: without authentication. The password is in memory and in no message.
  std::string username;
  std::string password;
  // TLS with the authorities of the system, also when no endpoint says https; the four below imply it.
  bool tls = false;
  std::string ca;           // PEM file with the authorities that sign for the servers; empty: the system's
  std::string certificate;  // PEM files to show to servers that ask for a certificate
  std::string key;
  std::string server_name;  // the name the servers' certificates must be for; empty: the host of the endpoint
  // Of one request, all endpoints together.
  Duration timeout = std::chrono::seconds(5);
  // How often somebody who watches asks whether the server is still there. A server that hangs is noticed after this and
  // `timeout`.
  Duration probe_interval = std::chrono::seconds(10);
  // In whose form records are kept; null: go-micro.
  std::shared_ptr<const registry::Layout> layout;
  // Where to tell of lost connections and unusable records; null: standard error, warnings only.
  std::shared_ptr<log::Logger> logger;
};

// What a registry counts; read from any thread.
struct Counters {
  std::uint64_t requests = 0;        // unary calls to etcd, and renewals of leases
  std::uint64_t failovers = 0;       // times an endpoint did not answer
  std::uint64_t logins = 0;          // tokens fetched
  std::uint64_t leases_lost = 0;     // leases that had to be made again
  std::uint64_t watches_broken = 0;  // streams of watchers that ended and were resumed
  std::uint64_t relists = 0;         // of these, those that had to read the list again: compaction
  std::uint64_t malformed = 0;       // records that were skipped
};

// Reads variables; std::getenv in programs.
using Environment = std::optional<std::string> (*)(const char* name);

// Options from flags and the environment: the address is a comma-separated list of endpoints; ETCD_USERNAME and ETCD_PASSWORD,
// when both are set; ETCD_CACERT, ETCD_CERT and ETCD_KEY name PEM files. INVALID_ARGUMENT says what cannot be used.
Result<Options> make_options(const RegistryConfig& config, Environment environment);

// A registry in etcd (API v3, etcd 3.4 or later), through our own gRPC client, on a thread and a loop of its own.
//
// Registering: a key under a lease with the time to live, in whole seconds, rounded up (etcd has a least one, 2 s as a rule);
// registering again renews the lease, and makes lease and key again when they are gone. Nobody else's watcher hears of a renewal.
// Zero: a key without a lease.
// Watching: a list, then the changes from its revision on. A stream that breaks is resumed where it ended; when the server has
// forgotten that (compaction), the list is read again and the watcher is told the difference. So a watcher goes on through
// outages. It fails, UNAVAILABLE, when the server that comes back has lost its data: who watches decides what to believe then (a
// registry::Cache keeps the nodes it knew until they had time to register again).
//
// Errors: UNAVAILABLE names the endpoints when none answers; UNAUTHENTICATED and PERMISSION_DENIED as etcd says. Records that
// cannot be read are skipped, counted, and told once to the log.
// Thread safety: all members on any loop. Destroying it ends its watchers, and leaves its records until they run out.
class Registry final : public registry::Registry {
 public:
  // Does not connect. INVALID_ARGUMENT for endpoints and files that cannot be used.
  static Result<std::shared_ptr<Registry>> make(Options options);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry() override;

  std::string_view name() const noexcept override { return "etcd"; }
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

}  // namespace micro::etcd
