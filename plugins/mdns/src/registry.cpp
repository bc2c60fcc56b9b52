#include <micro/mdns/registry.hpp>

#include <mutex>
#include <utility>

#include <micro/coro/call_on.hpp>
#include <micro/coro/run_on.hpp>
#include <micro/loop/group.hpp>
#include <micro/registry/back_end.hpp>
#include <micro/registry/records.hpp>

#include "core.hpp"

namespace micro::mdns {

using registry::Service;

namespace {

LoopGroup::Options one_loop() {
  LoopGroup::Options options;
  options.size = 1;
  options.name = "mdns";
  return options;
}

}  // namespace

// Outlives the registry as long as there are watchers: their end is told to this loop.
class Registry::State {
 public:
  explicit State(const Options& options) : group_(one_loop()), core_(group_.loop(0), options) {}
  ~State() {
    group_.stop();
    group_.join();
  }

  // The loop, running from the first use on.
  Loop& loop() {
    std::call_once(started_, [this] {
      group_.start();
      running_ = true;
    });
    return group_.loop(0);
  }
  Core& core() { return core_; }
  void close() {
    if (running_) run_on(group_.loop(0), core_.close());
  }

 private:
  LoopGroup group_;
  std::once_flag started_;
  bool running_ = false;
  Core core_;
};

Registry::Registry() : Registry(Options{}) {}
Registry::Registry(Options options) : options_(options), state_(std::make_shared<State>(options)) {}
Registry::~Registry() { state_->close(); }

std::string Registry::describe() const {
  std::string groups = options_.group_four;
  if (!options_.group_six.empty()) groups += (groups.empty() ? "" : " and ") + options_.group_six;
  return "mdns registry of the domain " + options_.domain + " on " + groups + ", port " + std::to_string(options_.port);
}

Task<Result<void>> Registry::register_service(Context& context, const Service& service,
                                              const registry::RegisterOptions& options) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  if (auto checked = registry::check_registrable(service); !checked) co_return checked;
  const auto put = [core = &state_->core(), service, ttl = options.ttl](Context&) -> Task<Result<void>> {
    co_return core->put(service, ttl);
  };
  co_return co_await call_on(state_->loop(), context, put);
}

Task<Result<void>> Registry::deregister_service(Context& context, const Service& service) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  if (auto checked = registry::check_deregistrable(service); !checked) co_return checked;
  const auto remove = [core = &state_->core(), service](Context&) -> Task<Result<void>> {
    core->remove(service);
    co_return Result<void>{};
  };
  co_return co_await call_on(state_->loop(), context, remove);
}

Task<Result<std::vector<Service>>> Registry::get_service(Context& context, std::string_view name) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  if (name.empty()) co_return fail(invalid_argument("cannot look up a service without a name"));
  const auto look = [core = &state_->core(), service = std::string(name)](Context& there) { return core->look(there, service); };
  auto records = co_await call_on(state_->loop(), context, look);
  if (!records) co_return fail(std::move(records.error()));
  std::vector<Service> found = registry::merge(std::move(*records));
  if (found.empty()) co_return fail(registry::no_node(name, describe()));
  co_return found;
}

Task<Result<std::vector<Service>>> Registry::list_services(Context& context) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  const auto look = [core = &state_->core()](Context& there) { return core->look(there, {}); };
  auto records = co_await call_on(state_->loop(), context, look);
  if (!records) co_return fail(std::move(records.error()));
  co_return registry::merge(std::move(*records));
}

Task<Result<std::unique_ptr<registry::Watcher>>> Registry::watch(Context& context, const registry::WatchOptions& options) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  auto queue = registry::WatchQueue::make();
  if (!queue) co_return fail(std::move(queue.error()));
  const auto open = [core = &state_->core(), service = options.service, queue = *queue](Context& there) {
    return core->watch(there, service, queue);
  };
  const auto id = co_await call_on(state_->loop(), context, open);
  if (!id) co_return fail(id.error());
  // What is posted has no share: the last one must not end on the loop that it joins.
  const auto unwatch = [state = state_, id = *id] {
    state->loop().post_remote([core = &state->core(), id] { core->unwatch(id); });
  };
  co_return (*queue)->watcher(unwatch);
}

void Registry::expire() {
  auto run = [](Core& core) -> Task<void> {
    core.expire();
    co_return;
  };
  run_on(state_->loop(), run(state_->core()));
}

}  // namespace micro::mdns
