#include <micro/registry/cache.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <micro/coro/deadline.hpp>
#include <micro/coro/event.hpp>
#include <micro/coro/gate.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/coro/timeout.hpp>
#include <micro/id/id.hpp>
#include <micro/loop/loop.hpp>

#include "ended.hpp"

namespace micro::registry {
namespace {

using ListPtr = std::shared_ptr<const NodeList>;

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};
template <class T>
using ByName = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

// What is published of one service.
struct Slot {
  std::atomic<std::uint64_t> version = 0;  // moves with the list, so that views see without the lock that they are out of date
  ListPtr list;                            // guarded by Impl::mutex
};

// One lookup that waits; touched on its own loop alone.
struct Asker {
  explicit Asker(Loop& home) : loop(home) {}
  Loop& loop;
  micro::Event answered;
  std::optional<Result<ListPtr>> answer;
};

// One service that is watched; touched on the home loop alone.
struct Follower {
  explicit Follower(std::string_view service) : name(service) {}
  const std::string name;
  Context context;
  std::map<std::string, Candidate> nodes;  // by id
  std::vector<std::shared_ptr<Asker>> askers;
  bool listed = false;  // the registry has told us its nodes once
  const std::shared_ptr<Slot> slot = std::make_shared<Slot>();
};

void answer(const std::shared_ptr<Asker>& asker, Result<ListPtr> result) {
  asker->loop.post_remote([asker, result = std::move(result)]() mutable {
    asker->answer.emplace(std::move(result));
    asker->answered.set();
  });
}

Error cache_stopped() { return cancelled("the client's view of the registry was stopped"); }

Duration jittered(Duration pause) {
  return pause - Duration(static_cast<Duration::rep>(fast_random() % (pause.count() / 2 + 1)));
}

}  // namespace

struct Cache::Impl {
  Impl(std::shared_ptr<Registry> r, Options o) : registry(std::move(r)), options(o) {}

  // The home loop's part.
  static void ask(const std::shared_ptr<Impl>& self, std::string_view service, const std::shared_ptr<Asker>& asker);
  static Task<void> follow(std::shared_ptr<Impl> self, std::shared_ptr<Follower> follower, Gate::Holder holder);
  Task<Error> track(Follower& follower);
  void replace(Follower& follower, const std::vector<Service>& versions);
  void apply(Follower& follower, const Event& event);
  bool put(Follower& follower, const std::string& version, const Node& node);
  void publish(Follower& follower);
  void forget(Follower& follower, const Error& reason);
  void tell(Change change, const Follower& follower, const Candidate& candidate) const;

  const std::shared_ptr<Registry> registry;
  const Options options;
  Loop* home = nullptr;

  std::mutex mutex;
  ByName<std::shared_ptr<Slot>> slots;  // guarded by mutex
  bool stopped = false;                 // guarded by mutex; written by the home loop

  ByName<std::shared_ptr<Follower>> followers;
  Gate gate;
};

void Cache::Impl::ask(const std::shared_ptr<Impl>& self, std::string_view service, const std::shared_ptr<Asker>& asker) {
  if (self->stopped) return answer(asker, fail(cache_stopped()));
  const auto found = self->followers.find(service);
  if (found != self->followers.end()) {
    Follower& follower = *found->second;
    if (follower.listed) return answer(asker, follower.slot->list);
    follower.askers.push_back(asker);
    return;
  }
  auto follower = std::make_shared<Follower>(service);
  follower->askers.push_back(asker);
  self->followers.emplace(service, follower);
  spawn(follow(self, std::move(follower), self->gate.enter()));
}

Task<void> Cache::Impl::follow(std::shared_ptr<Impl> self, std::shared_ptr<Follower> follower, Gate::Holder) {
  const Duration least = std::max(self->options.min_backoff, Duration(1));
  Duration backoff = least;
  for (;;) {
    const TimePoint begun = self->home->now();
    const Error reason = co_await self->track(*follower);
    if (self->stopped || !follower->listed) co_return self->forget(*follower, self->stopped ? cache_stopped() : reason);
    // A watch that held for a while starts anew from the shortest pause.
    if (self->home->now() - begun > self->options.max_backoff) backoff = least;
    const Duration pause = jittered(backoff);
    backoff = std::min(backoff * 2, std::max(self->options.max_backoff, least));
    if (self->options.observer != nullptr) self->options.observer->on_error(follower->name, reason, pause);
    (void)co_await sleep(follower->context, pause);
  }
}

// Watches and lists, then follows the changes until that ends; says why it ended.
Task<Error> Cache::Impl::track(Follower& follower) {
  const auto open = [&](Context& context) {
    const WatchOptions only{.service = follower.name};
    return registry->watch(context, only);
  };
  auto watcher = co_await with_timeout(follower.context, options.timeout, open);
  if (!watcher) co_return std::move(watcher.error());

  const auto list = [&](Context& context) { return registry->get_service(context, follower.name); };
  auto versions = co_await with_timeout(follower.context, options.timeout, list);
  if (!versions && (versions.error().code() != Code::kNotFound || !follower.listed)) co_return std::move(versions.error());
  replace(follower, versions.value_or(std::vector<Service>{}));

  for (;;) {
    const auto event = co_await (*watcher)->next(follower.context);
    if (!event) co_return event.error();
    apply(follower, *event);
  }
}

void Cache::Impl::replace(Follower& follower, const std::vector<Service>& versions) {
  std::map<std::string, Candidate> left = std::move(follower.nodes);
  follower.nodes.clear();
  bool changed = !follower.listed;
  for (const Service& service : versions) {
    for (const Node& node : service.nodes) {
      if (auto old = left.extract(node.id)) follower.nodes.insert(std::move(old));
      changed |= put(follower, service.version, node);
    }
  }
  for (const auto& [id, candidate] : left) tell(Change::kDelete, follower, candidate);
  if (changed || !left.empty()) publish(follower);
}

void Cache::Impl::apply(Follower& follower, const Event& event) {
  bool changed = false;
  for (const Node& node : event.service.nodes) {
    if (event.change != Change::kDelete) {
      changed |= put(follower, event.service.version, node);
    } else if (const auto gone = follower.nodes.extract(node.id)) {
      tell(Change::kDelete, follower, gone.mapped());
      changed = true;
    }
  }
  if (changed) publish(follower);
}

bool Cache::Impl::put(Follower& follower, const std::string& version, const Node& node) {
  const Candidate candidate{.node = node, .version = version};
  const auto [place, added] = follower.nodes.try_emplace(node.id, candidate);
  if (!added && place->second == candidate) return false;
  place->second = candidate;
  tell(added ? Change::kCreate : Change::kUpdate, follower, candidate);
  return true;
}

void Cache::Impl::tell(Change change, const Follower& follower, const Candidate& candidate) const {
  if (options.observer == nullptr) return;
  const Service service{.name = follower.name, .version = candidate.version, .nodes = {candidate.node}};
  options.observer->on_change({.change = change, .service = service});
}

void Cache::Impl::publish(Follower& follower) {
  auto list = std::make_shared<NodeList>();
  list->service = follower.name;
  for (const auto& [id, candidate] : follower.nodes) list->candidates.push_back(candidate);
  {
    const std::lock_guard lock(mutex);
    follower.slot->list = list;
    follower.slot->version.fetch_add(1, std::memory_order_release);
    slots.try_emplace(follower.name, follower.slot);
  }
  follower.listed = true;
  for (const auto& asker : std::exchange(follower.askers, {})) answer(asker, list);
}

void Cache::Impl::forget(Follower& follower, const Error& reason) {
  // Out of time here means that the registry did not answer, not that the caller's time is over.
  Error error = reason.code() == Code::kDeadlineExceeded
                    ? unavailable(registry->describe() + " does not answer").with_cause(reason)
                    : reason;
  if (reason.code() != Code::kNotFound) {
    error = Error(std::move(error).with_context("cannot look up service \"" + follower.name + '"'));
  }
  for (const auto& asker : std::exchange(follower.askers, {})) answer(asker, fail(error));
  followers.erase(follower.name);
}

Cache::Cache(std::shared_ptr<Registry> registry) : Cache(std::move(registry), Options{}) {}
Cache::Cache(std::shared_ptr<Registry> registry, Options options) : impl_(std::make_shared<Impl>(std::move(registry), options)) {}
Cache::~Cache() = default;

void Cache::start(Loop& home) { impl_->home = &home; }
Registry& Cache::registry() const noexcept { return *impl_->registry; }

Task<void> Cache::stop() {
  const auto impl = impl_;
  if (impl->home == nullptr) co_return;
  Loop* origin = Loop::current();
  co_await impl->home->schedule();
  {
    const std::lock_guard lock(impl->mutex);
    impl->stopped = true;
  }
  for (const auto& [name, follower] : impl->followers) follower->context.cancel(cache_stopped());
  co_await impl->gate.close();
  if (origin != nullptr) co_await origin->schedule();
}

Task<Result<std::shared_ptr<const NodeList>>> Cache::lookup(Context& context, std::string_view service) {
  const auto impl = impl_;
  Loop* loop = Loop::current();
  if (impl->home == nullptr || loop == nullptr) {
    co_return fail(failed_precondition("a registry cache is asked on a loop, after start()"));
  }
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  {
    const std::lock_guard lock(impl->mutex);
    if (impl->stopped) co_return fail(cache_stopped());
    if (const auto found = impl->slots.find(service); found != impl->slots.end()) co_return found->second->list;
  }
  const auto asker = std::make_shared<Asker>(*loop);
  impl->home->post_remote([impl, asker, name = std::string(service)] { Impl::ask(impl, name, asker); });
  const ContextDeadline deadline(context, *loop);
  auto waited = co_await asker->answered.wait(context);
  if (asker->answer) co_return std::move(*asker->answer);
  co_return fail(std::move(waited.error()).with_context("looking up service \"" + std::string(service) + '"'));
}

struct Cache::View::Table {
  struct Known {
    std::shared_ptr<const Slot> slot;
    std::uint64_t version = 0;
    ListPtr list;
  };
  explicit Table(std::shared_ptr<Impl> i) : impl(std::move(i)) {}

  Known* find(std::string_view service);
  void refresh(Known& known);

  const std::shared_ptr<Impl> impl;
  ByName<Known> known;
};

Cache::View::Table::Known* Cache::View::Table::find(std::string_view service) {
  if (const auto found = known.find(service); found != known.end()) [[likely]] {
    Known& entry = found->second;
    if (entry.slot->version.load(std::memory_order_acquire) != entry.version) [[unlikely]]
      refresh(entry);
    return &entry;
  }
  Known entry;
  {
    const std::lock_guard lock(impl->mutex);
    const auto found = impl->slots.find(service);
    if (found == impl->slots.end()) return nullptr;
    entry.slot = found->second;
  }
  refresh(entry);
  return &known.emplace(service, std::move(entry)).first->second;
}

void Cache::View::Table::refresh(Known& entry) {
  const std::lock_guard lock(impl->mutex);
  entry.version = entry.slot->version.load(std::memory_order_relaxed);
  entry.list = entry.slot->list;
}

Cache::View::View(Cache& cache) : table_(std::make_unique<Table>(cache.impl_)) {}
Cache::View::~View() = default;

const NodeList* Cache::View::get(std::string_view service) {
  const auto* known = table_->find(service);
  return known == nullptr ? nullptr : known->list.get();
}

std::shared_ptr<const NodeList> Cache::View::share(std::string_view service) {
  const auto* known = table_->find(service);
  return known == nullptr ? nullptr : known->list;
}

}  // namespace micro::registry
