#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <micro/context/context.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/registry/node_list.hpp>
#include <micro/registry/registry.hpp>
#include <micro/task/task.hpp>

namespace micro {
class Loop;
}

namespace micro::registry {

// Told what a cache learns about the services it follows. Called on the cache's home loop, so it must be quick.
class CacheObserver {
 public:
  virtual ~CacheObserver() = default;
  // A node joined, changed or left. The event's service holds its name, version and that node alone.
  virtual void on_change(const Event& event) = 0;
  // The registry failed to tell about `service`; the last list goes on being served and the next try is in `retry_in`.
  virtual void on_error(std::string_view service, const Error& error, Duration retry_in) {
    (void)service, (void)error, (void)retry_in;
  }
};

// What a client knows of the registry: for each service that was asked for once, the list of its nodes, kept up to date by a
// watch.
//
// The first lookup of a service waits for the registry, later ones find the list in memory. A change is seen by every loop with
// its next look, also the change to no node at all. While the registry is down the last good list stays and the watch is
// tried again with growing, jittered pauses. A service the registry does not know is forgotten again, so that made-up names
// cost nothing.
//
// Life: construct, start(), use, co_await stop(), destroy. Views end before their cache.
// Thread safety: lookup() and stop() on any loop; start() by the owner, before any of them. One View a loop.
class Cache {
 public:
  struct Options {
    // Pauses between tries while the registry is down: from the first to the second, doubling, each shortened by up to half at
    // random.
    Duration min_backoff = std::chrono::milliseconds(50);
    Duration max_backoff = std::chrono::seconds(5);
    // Of one question to the registry.
    Duration timeout = std::chrono::seconds(5);
    // The longest that lookups wait for the next question about a service that could not be looked up before.
    Duration max_lookup_pause = std::chrono::seconds(1);
    // How long after an outage nodes stay that the registry has lost: longer than it takes every node to renew its record.
    // Counted while the registry answers.
    Duration keep_missing = std::chrono::seconds(45);
    // Not owned; must outlive the cache. May be null.
    CacheObserver* observer = nullptr;
  };
  class View;

  explicit Cache(std::shared_ptr<Registry> registry);
  Cache(std::shared_ptr<Registry> registry, Options options);
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;
  // Must be stopped when it was started.
  ~Cache();

  // Names the loop that keeps the watches; it must run as long as the cache is used, and until stop() is done.
  void start(Loop& home);
  // Ends the watches and waits for them; pending and later lookups are CANCELLED. Idempotent.
  Task<void> stop();

  // The nodes of `service` now; at least one when it is asked for the first time. A list may be empty later.
  // Many askers of an unknown service share one question to the registry.
  // Errors: NOT_FOUND [NO_NODE] "no node of service X in ...", UNAVAILABLE [REGISTRY_UNAVAILABLE] when the registry was never
  // reached for this service, saying which registry and since when, the context's end, CANCELLED after stop(),
  // FAILED_PRECONDITION before start().
  Task<Result<std::shared_ptr<const NodeList>>> lookup(Context& context, std::string_view service);

  Registry& registry() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// The lists one loop has seen, for the path of a call: a hash lookup and one atomic load when nothing changed; no lock, no copy.
// Thread safety: one loop.
class Cache::View {
 public:
  explicit View(Cache& cache);
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View();

  // The present list, also when it is empty; null when nobody looked the service up yet: co_await lookup() then.
  // Valid until the next get() of this service on this view: copy what must live longer, or keep share().
  const NodeList* get(std::string_view service);
  // The same with a share in the list's ownership.
  std::shared_ptr<const NodeList> share(std::string_view service);

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace micro::registry
