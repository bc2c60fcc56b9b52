#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/registry/record.hpp>
#include <micro/task/task.hpp>

namespace micro::registry {

// Reasons of errors of register_service() that must not keep a service from starting.
//
// FAILED_PRECONDITION: the registry cannot be written, its records come from elsewhere (a text, a file, DNS). Trying again is of
// no use; others find the service when that source names it.
inline constexpr std::string_view kReadOnly = "READ_ONLY";
// UNAVAILABLE: some of several registries have the record, the others failed. Register again soon.
inline constexpr std::string_view kPartlyRegistered = "PARTLY_REGISTERED";

struct RegisterOptions {
  // The record disappears by itself when it was not registered again for this long; register about three times as often.
  // Zero: it stays until deregistered (or, where the registry can tell, until its process ends).
  Duration ttl = std::chrono::seconds(90);
};

enum class Change : std::uint8_t {
  kCreate,  // a node that was not there
  kUpdate,  // a node whose record changed
  kDelete,  // a node that left or expired
};

// What happened, with the service reduced to the node concerned.
struct Event {
  Change change = Change::kCreate;
  Service service;
};

struct WatchOptions {
  // Only this service; empty: all.
  std::string service;
};

// A stream of changes since it was made. It is made first and the list read after, so that nothing falls between.
// Thread safety: the loop it was made on.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // The next change; waits for it. CANCELLED after stop() or when the context ends; any other error means that changes may have
  // been missed: make a new watcher and read the list again.
  virtual Task<Result<Event>> next(Context& context) = 0;
  // Ends a pending next() and all later ones. Idempotent.
  virtual void stop() = 0;
};

// Where services tell where they are, and where others look.
//
// Registering the same node again renews its time to live and replaces its record. A service with several nodes in one call
// registers each. Empty names and nodes without id or address are INVALID_ARGUMENT.
//
// Errors: NOT_FOUND "no node of service X in registry Y" when the registry answers and knows none; UNAVAILABLE when the registry
// itself cannot be reached, naming its address. The two are never mixed up. Registries that cannot be written answer register and
// deregister with FAILED_PRECONDITION [READ_ONLY].
// Thread safety: all members may be called on any loop; the result arrives on the calling loop.
class Registry {
 public:
  virtual ~Registry() = default;
  // "memory", "local", "etcd".
  virtual std::string_view name() const noexcept = 0;
  // For messages: "local registry in /run/user/0/micro".
  virtual std::string describe() const = 0;

  virtual Task<Result<void>> register_service(Context& context, const Service& service, const RegisterOptions& options) = 0;
  // Removes the nodes named in `service`; one that is not there is no error.
  virtual Task<Result<void>> deregister_service(Context& context, const Service& service) = 0;
  // One entry a version; NOT_FOUND when there is no node.
  virtual Task<Result<std::vector<Service>>> get_service(Context& context, std::string_view name) = 0;
  // All services, sorted by name and version, with their nodes.
  virtual Task<Result<std::vector<Service>>> list_services(Context& context) = 0;
  virtual Task<Result<std::unique_ptr<Watcher>>> watch(Context& context, const WatchOptions& options) = 0;
};

}  // namespace micro::registry
