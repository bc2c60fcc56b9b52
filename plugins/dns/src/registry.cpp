#include <micro/dns/registry.hpp>

#include <mutex>
#include <utility>

#include <micro/coro/call_on.hpp>
#include <micro/coro/run_on.hpp>
#include <micro/loop/group.hpp>
#include <micro/registry/back_end.hpp>
#include <micro/registry/records.hpp>

#include "core.hpp"

namespace micro::dns {

using registry::Service;

namespace {

LoopGroup::Options one_loop() {
  LoopGroup::Options options;
  options.size = 1;
  options.name = "dns";
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

Registry::Registry(Options options, std::shared_ptr<State> state) : options_(std::move(options)), state_(std::move(state)) {}
Registry::~Registry() { state_->close(); }

Result<std::shared_ptr<Registry>> Registry::make(Options options) {
  if (auto checked = Resolver::check_servers(options.servers); !checked) {
    return fail(std::move(checked.error()).with_context("dns registry"));
  }
  auto state = std::make_shared<State>(options);
  return std::shared_ptr<Registry>(new Registry(std::move(options), std::move(state)));
}

std::string Registry::describe() const {
  std::string text = "dns registry of " + name_of("<service>", options_);
  if (options_.port != 0) text += " with port " + std::to_string(options_.port);
  for (const std::string& server : options_.servers) text += (server == options_.servers.front() ? " at " : ", ") + server;
  return text;
}

Task<Result<void>> Registry::register_service(Context& context, const Service& service, const registry::RegisterOptions&) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  if (auto checked = registry::check_registrable(service); !checked) co_return checked;
  co_return fail(registry::read_only("register", service.name, describe()));
}

Task<Result<void>> Registry::deregister_service(Context& context, const Service& service) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  if (auto checked = registry::check_deregistrable(service); !checked) co_return checked;
  co_return fail(registry::read_only("deregister", service.name, describe()));
}

Task<Result<std::vector<Service>>> Registry::get_service(Context& context, std::string_view name) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  if (name.empty()) co_return fail(invalid_argument("cannot look up a service without a name"));
  const auto get = [core = &state_->core(), service = std::string(name)](Context& there) { return core->get(there, service); };
  auto records = co_await call_on(state_->loop(), context, get);
  if (!records) {
    if (records.error().code() != Code::kInvalidArgument) co_return fail(std::move(records.error()).with_context(describe()));
    co_return fail(registry::no_node(name, describe()).with_cause(std::move(records.error())));  // no name, no nodes
  }
  std::vector<Service> found = registry::merge(std::move(*records));
  if (found.empty()) co_return fail(registry::no_node(name, describe()));
  co_return found;
}

Task<Result<std::vector<Service>>> Registry::list_services(Context& context) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  const auto list = [core = &state_->core()](Context&) -> Task<Result<std::vector<Service>>> { co_return core->list(); };
  auto records = co_await call_on(state_->loop(), context, list);
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
  if (!id) co_return fail(Error(id.error()).with_context(describe()));
  // What is posted has no share: the last one must not end on the loop that it joins.
  const auto unwatch = [state = state_, id = *id] {
    state->loop().post_remote([core = &state->core(), id] { core->unwatch(id); });
  };
  co_return (*queue)->watcher(unwatch);
}

}  // namespace micro::dns
