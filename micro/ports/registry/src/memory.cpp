#include <micro/registry/memory.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <micro/loop/loop.hpp>
#include <micro/registry/back_end.hpp>
#include <micro/registry/records.hpp>

namespace micro::registry {

class Memory::State {
 public:
  class Inbox;

  explicit State(std::shared_ptr<const TimeSource> time) : time_(std::move(time)) {}

  TimePoint now() const { return time_ != nullptr ? time_->now() : Clock::now(); }
  void put(const Service& service, Duration ttl);
  void remove(const Service& service);
  void expire();
  // The records of `name`, of all services when it is empty.
  std::vector<Service> list(std::string_view name);
  // When the next record of `name` (empty: of all) runs out.
  std::optional<TimePoint> next_expiry(std::string_view name);
  void subscribe(std::shared_ptr<Inbox> inbox);
  void unsubscribe(const Inbox* inbox);

 private:
  struct Stored {
    Service record;                   // with one node
    std::optional<TimePoint> expiry;  // none: stays
  };
  using Nodes = std::map<std::string, Stored, std::less<>>;

  void expire_locked();
  // Under the lock, so that every inbox gets the events in the order of the changes.
  void publish(std::string_view service, const std::optional<Event>& event);

  const std::shared_ptr<const TimeSource> time_;
  std::mutex mutex_;
  std::map<std::string, Nodes, std::less<>> services_;
  std::vector<std::shared_ptr<Inbox>> inboxes_;
};

// Feeds a watcher, and has the timer that removes what runs out while nothing else happens. Lives on the watcher's loop; other
// threads reach it through post_remote().
class Memory::State::Inbox {
 public:
  Inbox(Loop& loop, std::string service, std::weak_ptr<State> state, std::shared_ptr<WatchQueue> queue)
      : loop_(loop), service_(std::move(service)), state_(std::move(state)), queue_(std::move(queue)) {}

  bool wants(std::string_view service) const { return service_.empty() || service_ == service; }
  Loop& loop() const { return loop_; }

  void deliver(std::optional<Event> event) {
    if (stopped_) return;
    if (event) queue_->push(std::move(*event));
    keep_time();
  }

  void keep_time() {
    const auto state = state_.lock();
    if (state == nullptr) return timer_.cancel();
    state->expire();
    const auto expiry = state->next_expiry(service_);
    if (!expiry) return timer_.cancel();
    const TimePoint when = loop_.now() + (*expiry - state->now());
    timer_.set(loop_, when, [](void* self) { static_cast<Inbox*>(self)->keep_time(); }, this);
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
    if (const auto state = state_.lock()) state->unsubscribe(this);
  }

 private:
  Loop& loop_;
  const std::string service_;
  const std::weak_ptr<State> state_;
  const std::shared_ptr<WatchQueue> queue_;
  Timer timer_;
  bool stopped_ = false;
};

void Memory::State::publish(std::string_view service, const std::optional<Event>& event) {
  for (const auto& inbox : inboxes_) {
    if (inbox->wants(service)) inbox->loop().post_remote([inbox, event] { inbox->deliver(event); });
  }
}

void Memory::State::put(const Service& service, Duration ttl) {
  const std::lock_guard lock(mutex_);
  expire_locked();
  Nodes& nodes = services_[service.name];
  for (const Node& node : service.nodes) {
    Stored stored{.record = single_node(service, node)};
    if (ttl > Duration::zero()) stored.expiry = now() + ttl;
    std::optional<Event> event;  // none when nothing but the expiry changed: watchers still have to set their timers
    const auto found = nodes.find(node.id);
    if (found == nodes.end())
      event = Event{.change = Change::kCreate, .service = stored.record};
    else if (found->second.record != stored.record)
      event = Event{.change = Change::kUpdate, .service = stored.record};
    nodes.insert_or_assign(node.id, std::move(stored));
    publish(service.name, event);
  }
}

void Memory::State::remove(const Service& service) {
  const std::lock_guard lock(mutex_);
  expire_locked();
  const auto nodes = services_.find(service.name);
  if (nodes == services_.end()) return;
  for (const Node& node : service.nodes) {
    const auto found = nodes->second.find(node.id);
    if (found == nodes->second.end()) continue;
    publish(service.name, Event{.change = Change::kDelete, .service = std::move(found->second.record)});
    nodes->second.erase(found);
  }
  if (nodes->second.empty()) services_.erase(nodes);
}

void Memory::State::expire() {
  const std::lock_guard lock(mutex_);
  expire_locked();
}

void Memory::State::expire_locked() {
  const TimePoint present = now();
  for (auto nodes = services_.begin(); nodes != services_.end();) {
    for (auto entry = nodes->second.begin(); entry != nodes->second.end();) {
      Stored& stored = entry->second;
      if (!stored.expiry || *stored.expiry > present) {
        ++entry;
        continue;
      }
      publish(nodes->first, Event{.change = Change::kDelete, .service = std::move(stored.record)});
      entry = nodes->second.erase(entry);
    }
    nodes = nodes->second.empty() ? services_.erase(nodes) : std::next(nodes);
  }
}

std::vector<Service> Memory::State::list(std::string_view name) {
  const std::lock_guard lock(mutex_);
  expire_locked();
  std::vector<Service> records;
  for (const auto& [service, nodes] : services_) {
    if (!name.empty() && name != service) continue;
    for (const auto& [id, stored] : nodes) records.push_back(stored.record);
  }
  return records;
}

std::optional<TimePoint> Memory::State::next_expiry(std::string_view name) {
  const std::lock_guard lock(mutex_);
  std::optional<TimePoint> next;
  for (const auto& [service, nodes] : services_) {
    if (!name.empty() && name != service) continue;
    for (const auto& [id, stored] : nodes) {
      if (stored.expiry && (!next || *stored.expiry < *next)) next = stored.expiry;
    }
  }
  return next;
}

void Memory::State::subscribe(std::shared_ptr<Inbox> inbox) {
  const std::lock_guard lock(mutex_);
  inboxes_.push_back(std::move(inbox));
}

void Memory::State::unsubscribe(const Inbox* inbox) {
  const std::lock_guard lock(mutex_);
  std::erase_if(inboxes_, [&](const auto& other) { return other.get() == inbox; });
}

Memory::Memory() : Memory(Options{}) {}
Memory::Memory(Options options) : state_(std::make_shared<State>(std::move(options.time))) {}
Memory::~Memory() = default;

void Memory::expire() { state_->expire(); }

Task<Result<void>> Memory::register_service(Context& context, const Service& service, const RegisterOptions& options) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (auto checked = check_registrable(service); !checked) co_return checked;
  state_->put(service, options.ttl);
  co_return Result<void>{};
}

Task<Result<void>> Memory::deregister_service(Context& context, const Service& service) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (auto checked = check_deregistrable(service); !checked) co_return checked;
  state_->remove(service);
  co_return Result<void>{};
}

Task<Result<std::vector<Service>>> Memory::get_service(Context& context, std::string_view name) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (name.empty()) co_return fail(invalid_argument("cannot look up a service without a name"));
  std::vector<Service> found = merge(state_->list(name));
  if (found.empty()) co_return fail(no_node(name, describe()));
  co_return found;
}

Task<Result<std::vector<Service>>> Memory::list_services(Context& context) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  co_return merge(state_->list({}));
}

Task<Result<std::unique_ptr<Watcher>>> Memory::watch(Context& context, const WatchOptions& options) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  Result<std::shared_ptr<WatchQueue>> queue = WatchQueue::make();
  if (!queue) co_return fail(std::move(queue.error()));
  auto inbox = std::make_shared<State::Inbox>(*Loop::current(), options.service, state_, *queue);
  state_->subscribe(inbox);
  inbox->keep_time();
  co_return (*queue)->watcher([inbox] { inbox->stop(); });
}

}  // namespace micro::registry
