#include <micro/zookeeper/registry.hpp>

#include <mutex>
#include <set>
#include <utility>

#include <micro/coro/call_on.hpp>
#include <micro/coro/run_on.hpp>
#include <micro/log/log.hpp>
#include <micro/loop/group.hpp>
#include <micro/registry/back_end.hpp>
#include <micro/registry/records.hpp>

#include "follower.hpp"
#include "reader.hpp"
#include "registrar.hpp"
#include "servers.hpp"
#include "session.hpp"

namespace micro::zookeeper {
namespace {

using registry::Service;

LoopGroup::Options one_loop() {
  LoopGroup::Options options;
  options.size = 1;
  options.name = "zookeeper";
  return options;
}

std::shared_ptr<log::Logger> warnings() {
  log::Logger::Options options;
  options.level = log::Level::kWarn;
  options.name = "zookeeper";
  return std::make_shared<log::Logger>(options);
}

// Lets watchers that outlive their registry find out.
struct Door {
  std::mutex mutex;
  Loop* loop;
};

}  // namespace

struct Registry::State {
  State(Session::Settings settings, Paths paths)
      : loops(one_loop()),
        session(loop(), std::move(settings)),
        reader(session, std::move(paths)),
        registrar(session, reader.paths()) {
    loops.start();
    door->loop = &loop();
    loop().post_remote([this] { session.start(); });
  }

  Loop& loop() { return loops.loop(0); }

  // All below on the loop.
  Task<Result<std::vector<Service>>> read(Context& context, std::string service) {
    Result<std::vector<Service>> records = co_await reader.read(context, std::move(service));
    if (!records) co_return records;
    co_return registry::merge(std::move(*records));
  }

  Task<Result<void>> follow(Context& context, std::shared_ptr<Follower> follower) {
    Result<void> listed = co_await follower->list(context);
    if (!listed) co_return listed;
    spawn(run(std::move(follower), gate.enter()));
    co_return listed;
  }

  Task<void> run(std::shared_ptr<Follower> follower, Gate::Holder holder) {
    followers.insert(follower);
    co_await Follower::run(follower, std::move(holder));
    followers.erase(follower);
  }

  Task<void> close() {
    for (const auto& follower : std::set(followers)) follower->close();
    co_await gate.close();
    co_await registrar.stop();
    co_await session.stop();
  }

  LoopGroup loops;
  Session session;
  Reader reader;
  Registrar registrar;
  std::set<std::shared_ptr<Follower>> followers;
  Gate gate;
  const std::shared_ptr<Door> door = std::make_shared<Door>();
};

Result<std::shared_ptr<Registry>> Registry::make(Options options) {
  Result<std::vector<std::string>> servers = check_servers(options.servers);
  if (!servers) return fail(std::move(servers.error()));
  if (!options.layout) options.layout = registry::make_layout("go-micro:/micro-registry").value();
  Result<Paths> paths = Paths::make(std::move(options.layout));
  if (!paths) return fail(std::move(paths.error()));
  Session::Settings settings;
  settings.servers = std::move(*servers);
  settings.username = std::move(options.username);
  settings.password = std::move(options.password);
  settings.session_timeout = options.session_timeout;
  settings.timeout = options.timeout;
  settings.logger = options.logger ? std::move(options.logger) : warnings();
  return std::shared_ptr<Registry>(new Registry(std::make_unique<State>(std::move(settings), std::move(*paths))));
}

Registry::Registry(std::unique_ptr<State> state) : state_(std::move(state)) {}

Registry::~Registry() {
  {
    const std::lock_guard lock(state_->door->mutex);
    state_->door->loop = nullptr;
  }
  run_on(state_->loop(), state_->close());
  state_->loops.stop();
  state_->loops.join();
}

std::string Registry::describe() const { return state_->session.describe(); }

Counters Registry::counters() const noexcept {
  const AtomicCounters& now = state_->session.counters;
  return {.sessions = now.sessions, .restored = now.restored, .malformed = now.malformed};
}

Task<Result<void>> Registry::register_service(Context& context, const Service& service,
                                              const registry::RegisterOptions& options) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  if (auto checked = registry::check_registrable(service); !checked) co_return checked;
  auto put = [state = state_.get(), service, ttl = options.ttl](Context& there) {
    return state->registrar.put(there, service, ttl);
  };
  co_return co_await call_on(state_->loop(), context, std::move(put));
}

Task<Result<void>> Registry::deregister_service(Context& context, const Service& service) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  if (auto checked = registry::check_deregistrable(service); !checked) co_return checked;
  auto remove = [state = state_.get(), service](Context& there) { return state->registrar.remove(there, service); };
  co_return co_await call_on(state_->loop(), context, std::move(remove));
}

Task<Result<std::vector<Service>>> Registry::get_service(Context& context, std::string_view name) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  if (name.empty()) co_return fail(invalid_argument("cannot look up a service without a name"));
  const std::string service(name);
  auto read = [state = state_.get(), service](Context& there) { return state->read(there, service); };
  Result<std::vector<Service>> found = co_await call_on(state_->loop(), context, std::move(read));
  if (found && found->empty()) co_return fail(registry::no_node(service, describe()));
  co_return found;
}

Task<Result<std::vector<Service>>> Registry::list_services(Context& context) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  auto read = [state = state_.get(), all = std::string()](Context& there) { return state->read(there, all); };
  co_return co_await call_on(state_->loop(), context, std::move(read));
}

Task<Result<std::unique_ptr<registry::Watcher>>> Registry::watch(Context& context, const registry::WatchOptions& options) {
  if (auto reason = registry::ended(context)) co_return fail(std::move(*reason));
  Result<std::shared_ptr<registry::WatchQueue>> queue = registry::WatchQueue::make();
  if (!queue) co_return fail(std::move(queue.error()));
  auto follower = std::make_shared<Follower>(state_->session, state_->reader, options.service, *queue);
  auto follow = [state = state_.get(), follower](Context& there) { return state->follow(there, follower); };
  const Result<void> begun = co_await call_on(state_->loop(), context, std::move(follow));
  if (!begun) co_return fail(begun.error());
  co_return (*queue)->watcher([door = state_->door, follower] {
    const std::lock_guard lock(door->mutex);
    if (door->loop != nullptr) door->loop->post_remote([follower] { follower->stop(); });
  });
}

}  // namespace micro::zookeeper
