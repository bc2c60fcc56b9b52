#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/registry/registry.hpp>

namespace micro::dns {

// Finds services in the Domain Name System: SRV records (RFC 2782), or A and AAAA records with a port that is the same for all.
//
// The service "greeter" is the name "_grpc._tcp.greeter.example.org" with the prefix and the domain of the options; a name that
// ends with a dot is taken as it is. Each address is a node: id "greeter-10.0.0.7:8080", version "latest", metadata "host", and
// of SRV records "weight" and "priority". Of several priorities the first is used, as RFC 2782 has it for those who can reach it.
// A host with IPv4 addresses is reached by them, IPv6 is for those who have no other.
//
// A name is asked for again when its records have run out (TTL), a little later at random. A name that does not exist has no
// nodes, and watchers learn of that; a server that fails or does not answer changes nothing: the last list stays, watchers are
// told once (UNAVAILABLE), and it is tried again with growing pauses. get_service() is UNAVAILABLE only without such a list.
//
// Read-only: register and deregister are FAILED_PRECONDITION [READ_ONLY]. DNS cannot be listed: list_services() answers, and
// watches of all services tell of, those that were asked for. Has a thread of its own, from the first use on, where c-ares asks
// without blocking; large answers come over TCP. Thread safety: any loop. Watchers may outlive it and then fail.
class Registry final : public registry::Registry {
 public:
  struct Options {
    // "10.0.0.2:53", "[fd00::2]:53", "10.0.0.2"; none: those of the system (/etc/resolv.conf).
    std::vector<std::string> servers;
    std::string domain;
    std::string prefix = "_grpc._tcp";
    // Not 0: A and AAAA records are asked for, without the prefix, and every node has this port.
    std::uint16_t port = 0;
    // What the time to live of records is held to; also how often a name without nodes is asked for again (the first of them).
    Duration min_refresh = std::chrono::seconds(1);
    Duration max_refresh = std::chrono::seconds(60);
    // How long one server is waited for, and how often each is tried.
    Duration timeout = std::chrono::seconds(1);
    int tries = 2;
    // Pauses while no server answers: from the first to the second, doubling, each shortened by up to half at random.
    Duration min_backoff = std::chrono::milliseconds(500);
    Duration max_backoff = std::chrono::seconds(15);
  };

  // INVALID_ARGUMENT for servers that are none.
  static Result<std::shared_ptr<Registry>> make(Options options);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry() override;

  std::string_view name() const noexcept override { return "dns"; }
  // "dns registry of _grpc._tcp.<service>.example.org at 10.0.0.2:53".
  std::string describe() const override;
  Task<Result<void>> register_service(Context& context, const registry::Service& service,
                                      const registry::RegisterOptions& options) override;
  Task<Result<void>> deregister_service(Context& context, const registry::Service& service) override;
  Task<Result<std::vector<registry::Service>>> get_service(Context& context, std::string_view name) override;
  Task<Result<std::vector<registry::Service>>> list_services(Context& context) override;
  Task<Result<std::unique_ptr<registry::Watcher>>> watch(Context& context, const registry::WatchOptions& options) override;

 private:
  class State;
  Registry(Options options, std::shared_ptr<State> state);
  const Options options_;
  std::shared_ptr<State> state_;
};

}  // namespace micro::dns
