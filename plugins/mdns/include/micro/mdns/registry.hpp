#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/registry/registry.hpp>
#include <micro/registry/time_source.hpp>

namespace micro::mdns {

// The registry that needs no server: each process answers for its own nodes when others ask the local network (multicast DNS,
// RFC 6762), with the records of go-micro's default registry. So programs of both find each other as they are.
//
// A question takes its whole time (Options::timeout): who answers is not known before. Nodes tell when they come, change and
// leave; of a process that ends without a word watchers learn when it has not answered a few times. There is no UNAVAILABLE for a
// network that loses everything: nobody answers, and that is NOT_FOUND. UNAVAILABLE is a machine without a network that carries
// multicast.
//
// A node belongs to the registry object it was registered with, and ends with it. Deregistering one of others does nothing.
// RegisterOptions::ttl is kept by that object: it stops answering for a node that was not renewed. Addresses are IP addresses
// with a port (INVALID_ARGUMENT for others); a record takes up to some 60 KB as JSON, deflated to half of what fits into a
// datagram (RESOURCE_EXHAUSTED). Whoever can send to the network can claim to be a node: use it where that is nobody else, or
// with TLS.
//
// Has a thread of its own, from the first use on. Thread safety: any loop. Destroying it tells the others that its nodes leave,
// and waits for that; not from a loop of its own. Watchers may outlive it and then fail.
class Registry final : public registry::Registry {
 public:
  struct Options {
    // go-micro's. Programs with other domains do not see each other.
    std::string domain = "micro";
    // Of the groups, and the port of both. Empty: that family is left out.
    std::string group_four = "224.0.0.251";
    std::string group_six = "ff02::fb";
    std::uint16_t port = 5353;
    // How long answers to a question are collected. Longer finds more on a slow network, and every question takes so long.
    Duration timeout = std::chrono::milliseconds(100);
    // How often watchers ask whether everybody is still there; each pause is up to a quarter shorter or longer, at random.
    Duration poll_interval = std::chrono::seconds(15);
    // A node that did not answer this many times in a row has left.
    int missed_polls = 3;
    // Null: Clock::now().
    std::shared_ptr<const registry::TimeSource> time;
  };

  Registry();
  explicit Registry(Options options);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry() override;

  std::string_view name() const noexcept override { return "mdns"; }
  // "mdns registry of the domain micro on 224.0.0.251 and ff02::fb, port 5353".
  std::string describe() const override;
  Task<Result<void>> register_service(Context& context, const registry::Service& service,
                                      const registry::RegisterOptions& options) override;
  Task<Result<void>> deregister_service(Context& context, const registry::Service& service) override;
  Task<Result<std::vector<registry::Service>>> get_service(Context& context, std::string_view name) override;
  Task<Result<std::vector<registry::Service>>> list_services(Context& context) override;
  Task<Result<std::unique_ptr<registry::Watcher>>> watch(Context& context, const registry::WatchOptions& options) override;

  // Takes out now what has run out: for tests that have just moved the time source.
  void expire();

 private:
  class State;
  const Options options_;
  std::shared_ptr<State> state_;
};

}  // namespace micro::mdns
