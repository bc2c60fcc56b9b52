#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <micro/coro/mutex.hpp>
#include <micro/registry/registry.hpp>

#include "keys.hpp"
#include "session.hpp"

namespace micro::etcd {

// What this registry has written: a key a node, each under a lease of its own. Lives on the registry's loop.
class Registrar {
 public:
  Registrar(Session& session, const registry::Layout& layout) : session_(session), layout_(layout) {}

  // Registers or renews every node of `service`; stops at the first that fails.
  Task<Result<void>> put(Context& context, const registry::Service& service, Duration ttl);
  Task<Result<void>> remove(Context& context, const registry::Service& service);

 private:
  struct Held {
    Mutex mutex;  // one change of a node at a time
    std::string key;
    std::int64_t lease = 0;
    std::int64_t ttl = 0;  // seconds, as asked for
  };

  Task<Result<void>> put_node(Context& context, registry::Service record, std::int64_t ttl);
  Task<Result<void>> remove_node(Context& context, const std::string& service, const registry::Node& node);
  // A living lease for `held`, the one it has if possible.
  Task<Result<void>> hold_lease(Context& context, Held& held, std::int64_t ttl);
  Task<Result<void>> write(Context& context, const std::string& key, const std::string& value, std::int64_t lease);
  Task<Result<void>> erase(Context& context, const std::string& key);
  Task<void> revoke(Context& context, std::int64_t lease);

  Session& session_;
  const registry::Layout& layout_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Held>> held_;  // by service and node id
};

}  // namespace micro::etcd
