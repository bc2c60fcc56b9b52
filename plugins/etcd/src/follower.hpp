#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <micro/coro/gate.hpp>
#include <micro/registry/back_end.hpp>
#include <micro/registry/registry.hpp>

#include "keys.hpp"
#include "session.hpp"

namespace micro::etcd {

// Feeds one watcher: a list, then a stream from its revision on. Lives on the registry's loop, and may be destroyed anywhere when
// run() has ended or was never begun.
class Follower {
 public:
  Follower(Session& session, Decoder& decoder, std::string service, std::shared_ptr<registry::WatchQueue> queue)
      : session_(session), decoder_(decoder), service_(std::move(service)), queue_(std::move(queue)) {}

  // Reads what is there; from the second time on the watcher is told the difference.
  Task<Result<void>> list(Context& context);
  // After list(): tells the watcher of every change until stop().
  static Task<void> run(std::shared_ptr<Follower> self, Gate::Holder holder);
  void stop();
  // The registry goes away.
  void close();

 private:
  struct Known {
    registry::Service record;
    std::int64_t revision;
    std::int64_t lease;
  };

  // What a server that comes back says of the revision up to which we know everything.
  enum class History { kThere, kCompacted, kAnother };
  Task<Result<History>> history();
  Task<Result<void>> catch_up();
  Task<Result<void>> stream();
  Result<void> receive(const wire::WatchResponse& response);
  void apply(const wire::Event& event);
  void put(const wire::KeyValue& pair);
  void erase(const std::string& key);
  void tell(registry::Change change, registry::Service record);

  Session& session_;
  Decoder& decoder_;
  const std::string service_;
  const std::shared_ptr<registry::WatchQueue> queue_;
  Context life_;
  std::map<std::string, Known> known_;  // by key
  std::int64_t revision_ = 0;           // all up to this one is in known_
  bool listed_ = false;
  bool stale_ = false;  // the list must be read again
  bool heard_ = false;  // the present stream has begun
};

}  // namespace micro::etcd
