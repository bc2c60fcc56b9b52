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
#include <micro/duration/duration.hpp>
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
  // Nodes the registry came back without, with the time they may still stay; counted from `aged`.
  std::map<std::string, Duration> missing;
  TimePoint aged{};
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

std::string in_quotes(std::string_view name) { return "\"" + std::string(name) + "\""; }

}  // namespace

struct Cache::Impl {
  Impl(std::shared_ptr<Registry> r, Options o) : registry(std::move(r)), options(o) {}

  // The home loop's part.
  static void ask(const std::shared_ptr<Impl>& self, std::string_view service, const std::shared_ptr<Asker>& asker);
  static Task<void> follow(std::shared_ptr<Impl> self, std::shared_ptr<Follower> follower, Gate::Holder holder);
  Task<Error> track(Follower& follower);
  Task<Error> listen(Follower& follower, Watcher& watcher);
  void replace(Follower& follower, const std::vector<Service>& versions);
  void apply(Follower& follower, const Event& event);
  bool put(Follower& follower, const std::string& version, const Node& node);
  void age(Follower& follower);
  void publish(Follower& follower);
  // Whether the registry answered, as far as `error` says: for messages.
  void heard(const Error* error);
  Error refusal(const Follower& follower, const Error& reason) const;
  static void refuse(Follower& follower, const Error& error);
  void tell(Change change, const Follower& follower, const Candidate& candidate) const;

  const std::shared_ptr<Registry> registry;
  const Options options;
  Loop* home = nullptr;

  std::mutex mutex;
  ByName<std::shared_ptr<Slot>> slots;  // guarded by mutex
  bool stopped = false;                 // guarded by mutex; written by the home loop

  ByName<std::shared_ptr<Follower>> followers;
  std::optional<TimePoint> silent_since;  // the registry has not answered since then
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
  const Options& options = self->options;
  const Duration least = std::max(options.min_backoff, Duration(1));
  const Duration most = std::max(options.max_backoff, least);
  Duration backoff = least;
  for (;;) {
    const TimePoint begun = self->home->now();
    const Error reason = co_await self->track(*follower);
    if (self->stopped) break;
    // A registry that answered, or a watch that held for a while: anew from the shortest pause.
    if (reason.code() == Code::kNotFound || self->home->now() - begun > options.max_backoff) backoff = least;
    Duration pause = jittered(backoff);
    backoff = std::min(backoff * 2, most);
    if (follower->listed) {
      if (options.observer != nullptr) options.observer->on_error(follower->name, reason, pause);
      (void)co_await sleep(follower->context, pause);
      continue;
    }
    // Whoever asks from now on waits for the next question, so that many callers of a name cannot make many questions.
    refuse(*follower, self->refusal(*follower, reason));
    pause = std::min(pause, options.max_lookup_pause);
    (void)co_await sleep(follower->context, pause);
    if (follower->askers.empty()) break;
  }
  refuse(*follower, cache_stopped());
  self->followers.erase(follower->name);
}

// Watches and lists, then follows the changes until that ends; says why it ended.
Task<Error> Cache::Impl::track(Follower& follower) {
  const WatchOptions only{.service = follower.name};
  const auto open = [&](Context& context) { return registry->watch(context, only); };
  auto watcher = co_await with_timeout(follower.context, options.timeout, open);
  if (!watcher) {
    heard(&watcher.error());
    co_return std::move(watcher.error());
  }

  const auto list = [&](Context& context) { return registry->get_service(context, follower.name); };
  auto versions = co_await with_timeout(follower.context, options.timeout, list);
  heard(versions ? nullptr : &versions.error());
  if (!versions && (versions.error().code() != Code::kNotFound || !follower.listed)) co_return std::move(versions.error());
  replace(follower, versions.value_or(std::vector<Service>{}));

  Error reason = co_await listen(follower, **watcher);
  heard(&reason);
  co_return reason;
}

Task<Error> Cache::Impl::listen(Follower& follower, Watcher& watcher) {
  follower.aged = home->now();
  for (;;) {
    age(follower);
    Context until(follower.context);
    for (const auto& [id, left] : follower.missing) until.set_deadline(follower.aged + left);
    const ContextDeadline deadline(until, *home);
    const auto event = co_await watcher.next(until);
    if (event) {
      apply(follower, *event);
    } else if (event.error().code() != Code::kCancelled || !until.cancelled() || follower.context.cancelled()) {
      age(follower);
      co_return event.error();
    }
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
  for (const auto& [id, candidate] : left) follower.missing.try_emplace(id, options.keep_missing);
  follower.nodes.merge(left);
  if (changed) publish(follower);
}

// Lets go of the nodes that were missing for too long.
void Cache::Impl::age(Follower& follower) {
  const TimePoint now = home->now();
  const Duration passed = now - std::exchange(follower.aged, now);
  bool changed = false;
  for (auto missing = follower.missing.begin(); missing != follower.missing.end();) {
    missing->second -= passed;
    if (missing->second > Duration{}) {
      ++missing;
      continue;
    }
    if (const auto gone = follower.nodes.extract(missing->first)) tell(Change::kDelete, follower, gone.mapped());
    missing = follower.missing.erase(missing);
    changed = true;
  }
  if (changed) publish(follower);
}

void Cache::Impl::apply(Follower& follower, const Event& event) {
  bool changed = false;
  for (const Node& node : event.service.nodes) {
    if (event.change != Change::kDelete) {
      changed |= put(follower, event.service.version, node);
    } else if (const auto gone = follower.nodes.extract(node.id)) {
      follower.missing.erase(node.id);
      tell(Change::kDelete, follower, gone.mapped());
      changed = true;
    }
  }
  if (changed) publish(follower);
}

bool Cache::Impl::put(Follower& follower, const std::string& version, const Node& node) {
  follower.missing.erase(node.id);
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

void Cache::Impl::heard(const Error* error) {
  if (error == nullptr || error->code() == Code::kNotFound) return silent_since.reset();
  if (!silent_since) silent_since = home->now();
}

// Out of time here means that the registry did not answer, not that the caller's time is over.
Error Cache::Impl::refusal(const Follower& follower, const Error& reason) const {
  if (reason.code() == Code::kNotFound) return reason;
  const bool late = reason.code() == Code::kDeadlineExceeded;
  const std::string what = "cannot look up service " + in_quotes(follower.name);
  if (!late && reason.code() != Code::kUnavailable) {
    return Error(reason).with_context(what + " in the " + registry->describe());
  }
  std::string text = what + ": the " + registry->describe() + (late ? " does not answer" : " cannot be reached");
  const auto silence = std::chrono::floor<std::chrono::seconds>(silent_since ? home->now() - *silent_since : Duration{});
  if (silence.count() > 0) text += ", for " + format_duration(silence) + " now";
  if (!late) text += ": " + reason.message();
  return unavailable(text + "; is it running, and is --registry_address right?")
      .with_reason("REGISTRY_UNAVAILABLE")
      .with_cause(reason);
}

void Cache::Impl::refuse(Follower& follower, const Error& error) {
  for (const auto& asker : std::exchange(follower.askers, {})) answer(asker, fail(error));
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
  co_return fail(std::move(waited.error()).with_context("looking up service " + in_quotes(service)));
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
