#include <micro/registry/back_end.hpp>

#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include <micro/coro/deadline.hpp>
#include <micro/coro/event.hpp>
#include <micro/loop/loop.hpp>
#include <micro/registry/records.hpp>

#include "ended.hpp"

namespace micro::registry {

struct WatchQueue::State {
  explicit State(Loop& l) : loop(l) {}

  // Under the lock, so that stop() knows that nobody is on the way to the loop.
  template <class F>
  void post(F function) {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    if (Loop::current() == &loop) {
      function();
    } else {
      loop.post_remote(std::move(function));
    }
  }

  // Takes a share of the state, so that the watcher may be destroyed while somebody waits.
  static Task<Result<Event>> next(std::shared_ptr<State> self, Context& context) {
    const ContextDeadline deadline(context, self->loop);
    for (;;) {
      if (self->stopped) co_return micro::fail(watcher_stopped());
      if (auto reason = watch_ended(context)) co_return micro::fail(std::move(*reason));
      if (!self->events.empty()) {
        Event event = std::move(self->events.front());
        self->events.pop_front();
        co_return event;
      }
      if (self->failure) co_return micro::fail(Error(*self->failure));
      self->changed.reset();
      (void)co_await self->changed.wait(context);
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      if (std::exchange(stopped, true)) return;
    }
    changed.set();
    if (const auto told = std::exchange(on_stop, nullptr)) told->run();
  }

  Loop& loop;
  std::mutex mutex;
  bool stopped = false;  // written on the loop, under the mutex

  // On the loop alone.
  std::deque<Event> events;
  std::optional<Error> failure;
  micro::Event changed;
  std::unique_ptr<OnStop> on_stop;
};

class WatchQueue::Reader final : public Watcher {
 public:
  explicit Reader(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~Reader() override { state_->stop(); }
  Task<Result<Event>> next(Context& context) override { return State::next(state_, context); }
  void stop() override { state_->stop(); }

 private:
  const std::shared_ptr<State> state_;
};

namespace {

using Key = std::pair<std::string, std::string>;

std::map<Key, Service> by_node(const std::vector<Service>& services) {
  std::map<Key, Service> nodes;
  for (const Service& service : services) {
    for (const Node& node : service.nodes) nodes.insert_or_assign({service.name, node.id}, single_node(service, node));
  }
  return nodes;
}

}  // namespace

WatchQueue::WatchQueue(std::shared_ptr<State> state) : state_(std::move(state)) {}
WatchQueue::~WatchQueue() = default;

Result<std::shared_ptr<WatchQueue>> WatchQueue::make() {
  Loop* const loop = Loop::current();
  if (loop == nullptr) return micro::fail(failed_precondition("a registry can only be watched from a loop"));
  return std::shared_ptr<WatchQueue>(new WatchQueue(std::make_shared<State>(*loop)));
}

void WatchQueue::push(Event event) {
  state_->post([state = state_, event = std::move(event)]() mutable {
    state->events.push_back(std::move(event));
    state->changed.set();
  });
}

void WatchQueue::fail(Error error) {
  state_->post([state = state_, error = std::move(error)]() mutable {
    if (!state->failure) state->failure.emplace(std::move(error));
    state->changed.set();
  });
}

std::unique_ptr<Watcher> WatchQueue::make_watcher(std::unique_ptr<OnStop> on_stop) {
  state_->on_stop = std::move(on_stop);
  return std::make_unique<Reader>(state_);
}

std::vector<Event> differences(const std::vector<Service>& before, const std::vector<Service>& now) {
  const std::map<Key, Service> old_nodes = by_node(before);
  std::map<Key, Service> new_nodes = by_node(now);
  std::vector<Event> left;
  for (const auto& [key, record] : old_nodes) {
    if (!new_nodes.contains(key)) left.push_back({.change = Change::kDelete, .service = record});
  }
  std::vector<Event> events;
  for (auto& [key, record] : new_nodes) {
    const auto old_node = old_nodes.find(key);
    if (old_node == old_nodes.end()) {
      events.push_back({.change = Change::kCreate, .service = std::move(record)});
    } else if (old_node->second != record) {
      events.push_back({.change = Change::kUpdate, .service = std::move(record)});
    }
  }
  for (Event& event : left) events.push_back(std::move(event));
  return events;
}

}  // namespace micro::registry
