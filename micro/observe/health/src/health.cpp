#include <micro/health/health.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace micro {

namespace health_detail {

// The call of a listener in progress; lives in the frame of the thread that makes it.
struct Delivery {
  std::thread::id thread = std::this_thread::get_id();
  bool again = false;  // another change came while the listener ran
  bool gone = false;   // stopped from inside the listener: the subscription must not be touched any more
};

void List::push_back(HealthSubscription& item) {
  item.previous_ = last;
  item.next_ = nullptr;
  (last != nullptr ? last->next_ : first) = &item;
  last = &item;
}

void List::remove(HealthSubscription& item) {
  (item.previous_ != nullptr ? item.previous_->next_ : first) = item.next_;
  (item.next_ != nullptr ? item.next_->previous_ : last) = item.previous_;
}

}  // namespace health_detail

std::string_view to_string(HealthStatus status) noexcept {
  switch (status) {
    case HealthStatus::kUnknown:
      return "UNKNOWN";
    case HealthStatus::kServing:
      return "SERVING";
    case HealthStatus::kNotServing:
      return "NOT_SERVING";
    case HealthStatus::kServiceUnknown:
      return "SERVICE_UNKNOWN";
  }
  return "UNKNOWN";
}

struct Health::State {
  Status status_of(std::string_view service) const;
  // Tells every subscription whose status is another one than it heard last.
  void announce(std::unique_lock<std::mutex>& lock);
  void tell(HealthSubscription& subscription, std::unique_lock<std::mutex>& lock);

  std::mutex mutex;
  std::condition_variable told;  // a listener has returned
  std::map<std::string, Status, std::less<>> services;
  bool shut_down = false;
  health_detail::List settled;  // know the present status, or are being told just now
  health_detail::List waiting;  // are to be told
};

void HealthSubscription::start(Health& health, std::string_view service, HealthListener& listener) {
  stop();
  service_ = service;
  listener_ = &listener;
  Health::State& state = *health.state_;
  std::unique_lock lock(state.mutex);
  health_ = &health;
  is_waiting_ = false;
  state.settled.push_back(*this);
  state.tell(*this, lock);  // the listener may have destroyed this object
}

void HealthSubscription::stop() noexcept {
  if (health_ == nullptr) return;
  Health::State& state = *health_->state_;
  std::unique_lock lock(state.mutex);
  (is_waiting_ ? state.waiting : state.settled).remove(*this);
  if (delivery_ != nullptr) {
    delivery_->again = false;
    if (delivery_->thread == std::this_thread::get_id()) {
      delivery_->gone = true;
      delivery_ = nullptr;
    } else {
      state.told.wait(lock, [this] { return delivery_ == nullptr; });
    }
  }
  health_ = nullptr;
}

Health::Health(Status process) : state_(std::make_unique<State>()) { state_->services.emplace("", process); }

Health::~Health() {
  for (health_detail::List* list : {&state_->settled, &state_->waiting}) {
    for (HealthSubscription* s = list->first; s != nullptr; s = s->next_) s->health_ = nullptr;
  }
}

void Health::set(std::string_view service, Status status) {
  std::unique_lock lock(state_->mutex);
  if (state_->shut_down) return;
  auto& services = state_->services;
  const auto found = services.find(service);
  if (status == Status::kServiceUnknown && !service.empty()) {
    if (found != services.end()) services.erase(found);
  } else if (found != services.end()) {
    found->second = status;
  } else {
    services.emplace(service, status);
  }
  state_->announce(lock);
}

Health::Status Health::get(std::string_view service) const {
  const std::lock_guard lock(state_->mutex);
  return state_->status_of(service);
}

std::vector<std::pair<std::string, Health::Status>> Health::list() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::pair<std::string, Status>> out;
  out.reserve(state_->services.size());
  for (const auto& [service, status] : state_->services) out.emplace_back(service, state_->status_of(service));
  return out;
}

void Health::shutdown() {
  std::unique_lock lock(state_->mutex);
  state_->shut_down = true;
  state_->announce(lock);
}

void Health::resume() {
  std::unique_lock lock(state_->mutex);
  state_->shut_down = false;
  state_->announce(lock);
}

bool Health::is_shut_down() const {
  const std::lock_guard lock(state_->mutex);
  return state_->shut_down;
}

Health::Status Health::State::status_of(std::string_view service) const {
  const auto found = services.find(service);
  if (found == services.end()) return Status::kServiceUnknown;
  return shut_down ? Status::kNotServing : found->second;
}

void Health::State::announce(std::unique_lock<std::mutex>& lock) {
  for (HealthSubscription* s = settled.first; s != nullptr;) {
    HealthSubscription* const next = s->next_;
    if (s->delivery_ != nullptr) {
      s->delivery_->again = true;
    } else if (status_of(s->service_) != s->status_) {
      settled.remove(*s);
      waiting.push_back(*s);
      s->is_waiting_ = true;
    }
    s = next;
  }
  // With the lock given up for each call the lists may change in any way meanwhile; the front of the queue is always sound.
  while (HealthSubscription* const s = waiting.first) {
    waiting.remove(*s);
    settled.push_back(*s);
    s->is_waiting_ = false;
    if (status_of(s->service_) != s->status_) tell(*s, lock);
  }
}

void Health::State::tell(HealthSubscription& subscription, std::unique_lock<std::mutex>& lock) {
  health_detail::Delivery delivery;
  subscription.delivery_ = &delivery;
  HealthListener& listener = *subscription.listener_;
  const std::string service = subscription.service_;
  Status status = status_of(service);
  do {
    delivery.again = false;
    subscription.status_ = status;
    lock.unlock();
    listener.on_health(service, status);
    lock.lock();
    if (delivery.gone) return;
    status = status_of(service);
  } while (delivery.again && status != subscription.status_);
  subscription.delivery_ = nullptr;
  told.notify_all();
}

}  // namespace micro
