#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/health/subscription.hpp>

namespace micro {

// Who can take work: a serving status for each service name, as in grpc.health.v1. The name "" stands for the whole process and
// is always known.
//
// Thread safety: all members may be called from any thread.
class Health {
 public:
  using Status = HealthStatus;

  // A process serves from the start unless told otherwise, as in other gRPC implementations.
  explicit Health(Status process = Status::kServing);
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;
  // Ends every subscription. No other thread may use the object, or end one of its subscriptions, any more.
  ~Health();

  // Sets a status and, when it is another one, tells the subscriptions of the service on the calling thread before it returns
  // (of changes made by two threads at once, either thread may tell both). kServiceUnknown forgets a service; the process
  // cannot be forgotten and then reads kServiceUnknown. Ignored between shutdown() and resume().
  void set(std::string_view service, Status status);

  // kServiceUnknown for a service nobody has set.
  Status get(std::string_view service) const;

  // Every known service in the order of names, "" first.
  std::vector<std::pair<std::string, Status>> list() const;

  // The process is leaving: every known service reads kNotServing, and set() has no effect.
  void shutdown();
  // Undoes shutdown(): every service reads again what it did before.
  void resume();
  bool is_shut_down() const;

 private:
  friend class HealthSubscription;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace micro
