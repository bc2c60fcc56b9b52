#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <micro/coro/event.hpp>
#include <micro/coro/gate.hpp>
#include <micro/dns/registry.hpp>
#include <micro/loop/timer.hpp>
#include <micro/registry/back_end.hpp>

#include "resolver.hpp"

namespace micro::dns {

// The DNS name that stands for a service.
std::string name_of(const std::string& service, const Registry::Options& options);

// What a registry does on its own loop: asks for services, remembers what it was answered, and asks again for those that are
// watched.
class Core {
 public:
  Core(Loop& loop, const Registry::Options& options);

  // The nodes of `service`, none when there are none; asks when nothing is known, or what is known has run out.
  Task<Result<std::vector<registry::Service>>> get(Context& context, std::string service);
  // Of all services that were asked for and have nodes.
  std::vector<registry::Service> list() const;
  // The id is for unwatch().
  Task<Result<std::uint64_t>> watch(Context& context, std::string service, std::shared_ptr<registry::WatchQueue> queue);
  void unwatch(std::uint64_t id);
  Task<void> close();

 private:
  // A service that was asked for.
  struct Entry {
    explicit Entry(std::string name) : service(std::move(name)) {}
    const std::string service;
    bool known = false;  // a server has answered once
    std::vector<registry::Service> records;
    TimePoint fresh_until{};
    std::optional<Error> failure;  // of the last time
    Duration backoff{};
    bool asking = false;
    Event answered;
    Timer timer;
    int watched = 0;
    Core* core = nullptr;
  };
  struct Watch {
    std::string service;  // empty: all
    std::shared_ptr<registry::WatchQueue> queue;
  };
  struct Found {
    std::vector<registry::Service> records;
    Duration ttl;
  };

  std::shared_ptr<Entry> entry_of(const std::string& service);
  void release(Entry& entry);
  void ask(const std::shared_ptr<Entry>& entry);
  Task<void> ask_and_keep(std::shared_ptr<Entry> entry, Gate::Holder holder);
  Task<Result<Found>> find(std::string service);
  Task<Result<void>> find_hosts(const std::string& service, std::string host, std::uint16_t port, registry::Properties metadata,
                                Found& found);
  void keep(Entry& entry, Result<Found> found);
  void ask_later(Entry& entry, Duration pause);

  Loop& loop_;
  const Registry::Options options_;
  Resolver resolver_;
  Context life_;
  Gate gate_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
  std::map<std::uint64_t, Watch> watches_;
  std::uint64_t last_watch_ = 0;
};

}  // namespace micro::dns
