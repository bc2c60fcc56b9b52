#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace micro {

class Health;
class HealthSubscription;

// The numbers are those of grpc.health.v1.HealthCheckResponse.ServingStatus.
enum class HealthStatus : std::uint8_t { kUnknown = 0, kServing = 1, kNotServing = 2, kServiceUnknown = 3 };

// "SERVING", "NOT_SERVING", ...
std::string_view to_string(HealthStatus status) noexcept;

// Is told of changes. Runs on the thread that made the change, with no lock held, so it may call any member of Health and may
// start and end subscriptions, its own included.
class HealthListener {
 public:
  virtual void on_health(std::string_view service, HealthStatus status) noexcept = 0;

 protected:
  ~HealthListener() = default;
};

namespace health_detail {
struct Delivery;
// A doubly linked list through HealthSubscription::next_ and previous_.
struct List {
  void push_back(HealthSubscription& item);
  void remove(HealthSubscription& item);
  HealthSubscription* first = nullptr;
  HealthSubscription* last = nullptr;
};
}  // namespace health_detail

// Listens to the status of one service, known or not, from start() until stop() or destruction. Links itself into the Health.
//
// The listener hears the present status before start() returns, then each change. Calls for one subscription never overlap and
// never go back in time: when a second thread makes a change while the listener runs, the first thread delivers that change
// afterwards, and a change that was overtaken by another is not told.
//
// Thread safety: start() and stop() are called by one owner at a time; changes may be made by any thread meanwhile.
class HealthSubscription {
 public:
  HealthSubscription() = default;
  HealthSubscription(const HealthSubscription&) = delete;
  HealthSubscription& operator=(const HealthSubscription&) = delete;
  ~HealthSubscription() { stop(); }

  // Stops first when it was started. `health` and `listener` must outlive the subscription or its stop().
  void start(Health& health, std::string_view service, HealthListener& listener);
  // The listener does not run after this returns: waits for a call in progress on another thread, and returns at once when
  // called from inside the listener. So two listeners that stop each other must not run on two threads. Harmless when not
  // started.
  void stop() noexcept;
  bool started() const noexcept { return health_ != nullptr; }

 private:
  friend class Health;
  friend struct health_detail::List;
  Health* health_ = nullptr;
  HealthListener* listener_ = nullptr;
  std::string service_;
  HealthStatus status_ = HealthStatus::kUnknown;  // what the listener heard last
  bool is_waiting_ = false;                       // which of the two lists it stands in
  health_detail::Delivery* delivery_ = nullptr;   // the call in progress
  HealthSubscription* next_ = nullptr;
  HealthSubscription* previous_ = nullptr;
};

}  // namespace micro
