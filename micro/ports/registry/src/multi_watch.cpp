#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include <micro/coro/deadline.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/id/id.hpp>
#include <micro/loop/loop.hpp>
#include <micro/registry/back_end.hpp>

#include "ended.hpp"
#include "multi_parts.hpp"

namespace micro::registry {
namespace {

// How long a change waits for a registry that is just being asked whether it is back: cut short each time, it would never be.
constexpr Duration kGrace = std::chrono::milliseconds(250);

// One registry as the watcher sees it.
struct Source {
  std::shared_ptr<Registry> registry;
  std::unique_ptr<Watcher> watcher;  // null: it is away
  NodesByKey nodes;
  std::string why_away;
  Duration backoff{};
  TimePoint next_try{};
};

// Everything that waits does so inside next(), and has ended when that returns: a watcher that nobody awaits leaves nothing
// behind on its loop.
class MultiWatch {
 public:
  MultiWatch(Loop& loop, const Registries& registries, Multi::Options options, std::string service)
      : loop_(loop), options_(options), service_(std::move(service)) {
    for (const auto& registry : registries) {
      sources_.push_back({.registry = registry, .watcher = {}, .nodes = {}, .why_away = {}, .backoff = options.min_backoff});
    }
  }

  Task<Result<void>> open(Context& context) {
    std::vector<Task<void>> openings;
    for (Source& source : sources_) openings.push_back(open_source(context, source));
    co_await when_all(std::move(openings));
    if (auto reason = ended(context)) co_return fail(std::move(*reason));
    std::string failures;
    bool any = false;
    for (const Source& source : sources_) {
      any |= source.watcher != nullptr;
      if (source.watcher == nullptr)
        failures += (failures.empty() ? "" : "; ") + source.registry->describe() + ": " + source.why_away;
    }
    if (!any) co_return fail(unavailable("none of the registries can be watched: " + failures));
    told_ = merged();
    co_return Result<void>{};
  }

  // Takes a share of itself, so that the watcher may be destroyed while somebody waits.
  static Task<Result<Event>> next(std::shared_ptr<MultiWatch> self, Context& context) {
    const ContextDeadline deadline(context, self->loop_);
    for (;;) {
      if (self->stopped_) co_return fail(watcher_stopped());
      if (auto reason = watch_ended(context)) co_return fail(std::move(*reason));
      if (!self->events_.empty()) {
        Event event = std::move(self->events_.front());
        self->events_.pop_front();
        co_return event;
      }
      if (self->failure_) co_return fail(*self->failure_);
      co_await self->wait(context);
    }
  }

  void stop() {
    stopped_ = true;
    if (round_ != nullptr) round_->abandon(watcher_stopped());
  }

 private:
  // One wait for whatever comes first.
  struct Round {
    Round(Context& context, Loop& l) : loop(l), waiting(context), probing(context) {}
    void decided() {
      if (waiting.cancelled()) return;
      waiting.cancel(cancelled("another registry was first"));
      probing.set_timeout(kGrace, loop.now());
      grace.watch(probing, loop);
    }
    void abandon(const Error& reason) {
      waiting.cancel(reason);
      probing.cancel(reason);
    }
    Loop& loop;
    Context waiting;
    Context probing;
    ContextDeadline grace;
  };

  Task<void> open_source(Context& context, Source& source) {
    auto ask_watch = [this](Registry& registry, Context& child) { return open_watch(registry, child); };
    auto watcher = co_await ask_one<std::unique_ptr<Watcher>>(source.registry, context, options_.timeout, ask_watch);
    if (!watcher) co_return away(source, watcher.error());
    auto ask_list = [this](Registry& registry, Context& child) { return list(registry, child); };
    auto services = co_await ask_one<std::vector<Service>>(source.registry, context, options_.timeout, ask_list);
    if (!services && services.error().code() != Code::kNotFound) co_return away(source, services.error());
    if (services) source.nodes = nodes_by_key(*services);
    source.watcher = std::move(*watcher);
  }
  Task<Result<std::unique_ptr<Watcher>>> open_watch(Registry& registry, Context& context) {
    const WatchOptions only{.service = service_};
    co_return co_await registry.watch(context, only);
  }
  Task<Result<std::vector<Service>>> list(Registry& registry, Context& context) {
    return service_.empty() ? registry.list_services(context) : registry.get_service(context, service_);
  }

  void away(Source& source, const Error& error) {
    source.why_away = error.message();
    const Duration least = std::max(options_.min_backoff, Duration(1));
    source.backoff = std::max(source.backoff, least);
    source.next_try =
        loop_.now() + source.backoff - Duration(static_cast<Duration::rep>(fast_random() % (source.backoff.count() / 2 + 1)));
    source.backoff = std::min(source.backoff * 2, std::max(options_.max_backoff, least));
  }

  Task<void> wait(Context& context) {
    Round round(context, loop_);
    round_ = &round;
    std::vector<Task<void>> tasks;
    for (Source& source : sources_) tasks.push_back(source.watcher != nullptr ? follow(source, round) : probe(source, round));
    co_await when_all(std::move(tasks));
    round_ = nullptr;
  }

  Task<void> follow(Source& source, Round& round) {
    const Result<Event> event = co_await source.watcher->next(round.waiting);
    if (event) {
      apply(source, *event);
      round.decided();
    } else if (!round.waiting.cancelled()) {
      fail_with(event.error().code() == Code::kCancelled ? unavailable(event.error().message()) : event.error(), source);
      round.decided();
    }
  }

  // Asks a registry that is away now and then whether it is back.
  Task<void> probe(Source& source, Round& round) {
    auto ask_watch = [this](Registry& registry, Context& child) { return open_watch(registry, child); };
    while (!round.waiting.cancelled()) {
      const Duration pause = source.next_try - loop_.now();
      if (pause > Duration::zero() && !co_await sleep(round.waiting, pause)) co_return;
      const auto watcher =
          co_await ask_one<std::unique_ptr<Watcher>>(source.registry, round.probing, options_.timeout, ask_watch);
      if (watcher) {
        fail_with(unavailable("it is back after an outage (" + source.why_away + "); its nodes are to be read again"), source);
        co_return round.decided();
      }
      if (round.probing.cancelled()) co_return;
      away(source, watcher.error());
    }
  }

  void fail_with(Error error, const Source& source) {
    if (!failure_) failure_.emplace(std::move(error).with_context(source.registry->describe()));
  }

  void apply(Source& source, const Event& event) {
    for (const Node& node : event.service.nodes) {
      std::pair key(event.service.name, node.id);
      if (event.change == Change::kDelete) {
        source.nodes.erase(key);
      } else {
        Service record = event.service;
        record.nodes = {node};
        source.nodes.insert_or_assign(key, std::move(record));
      }
      tell(key);
    }
  }

  // Compares what is known of one node with what was told of it.
  void tell(const std::pair<std::string, std::string>& key) {
    const Service* now = nullptr;
    for (const Source& source : sources_) {
      const auto found = source.nodes.find(key);
      if (found == source.nodes.end()) continue;
      now = &found->second;
      break;
    }
    const auto before = told_.find(key);
    if (now == nullptr) {
      if (before == told_.end()) return;
      events_.push_back({.change = Change::kDelete, .service = std::move(before->second)});
      told_.erase(before);
    } else if (before == told_.end()) {
      events_.push_back({.change = Change::kCreate, .service = *now});
      told_.emplace(key, *now);
    } else if (before->second != *now) {
      events_.push_back({.change = Change::kUpdate, .service = *now});
      before->second = *now;
    }
  }

  NodesByKey merged() const {
    std::vector<const NodesByKey*> in_order;
    for (const Source& source : sources_) in_order.push_back(&source.nodes);
    return first_of_each(in_order);
  }

  Loop& loop_;
  const Multi::Options options_;
  const std::string service_;
  std::vector<Source> sources_;
  NodesByKey told_;
  std::deque<Event> events_;
  std::optional<Error> failure_;
  Round* round_ = nullptr;
  bool stopped_ = false;
};

class MultiWatcher final : public Watcher {
 public:
  explicit MultiWatcher(std::shared_ptr<MultiWatch> watch) : watch_(std::move(watch)) {}
  ~MultiWatcher() override { watch_->stop(); }
  Task<Result<Event>> next(Context& context) override { return MultiWatch::next(watch_, context); }
  void stop() override { watch_->stop(); }

 private:
  const std::shared_ptr<MultiWatch> watch_;
};

}  // namespace

Task<Result<std::unique_ptr<Watcher>>> watch_all(Context& context, Registries registries, Multi::Options options,
                                                 std::string service) {
  Loop* const loop = Loop::current();
  if (loop == nullptr) co_return fail(failed_precondition("a registry can only be watched from a loop"));
  auto watch = std::make_shared<MultiWatch>(*loop, registries, options, std::move(service));
  if (auto opened = co_await watch->open(context); !opened) co_return fail(std::move(opened.error()));
  co_return std::make_unique<MultiWatcher>(std::move(watch));
}

}  // namespace micro::registry
