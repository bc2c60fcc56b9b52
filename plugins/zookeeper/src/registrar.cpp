#include "registrar.hpp"

#include <utility>

#include <micro/coro/sleep.hpp>
#include <micro/registry/records.hpp>

namespace micro::zookeeper {
namespace {

// What the servers take by default (jute.maxbuffer, 1 MiB), less room for the rest of the request.
constexpr std::size_t kMostBytes = 1'000'000;
// Each step can be overtaken by somebody else's.
constexpr int kMostSteps = 8;
constexpr Duration kRetry = std::chrono::seconds(1);

}  // namespace

std::shared_ptr<Registrar::Held> Registrar::held(const std::string& service, const registry::Node& node) {
  const std::string folder = paths_.folder(service);
  const std::string path = paths_.path(folder, paths_.leaf(service, node));
  std::shared_ptr<Held>& entry = held_[path];
  if (!entry) {
    entry = std::make_shared<Held>(*this);
    entry->folder = folder;
    entry->path = path;
  }
  return entry;
}

Task<Result<void>> Registrar::put(Context& context, registry::Service service, Duration ttl) {
  for (const registry::Node& node : service.nodes) {
    Result<std::string> value = paths_.layout().encode(registry::single_node(service, node));
    if (!value) co_return fail(std::move(value.error()));
    if (value->size() > kMostBytes) {
      co_return fail(invalid_argument("the record of node \"" + node.id + "\" of service \"" + service.name + "\" has " +
                                      std::to_string(value->size()) + " bytes, and ZooKeeper takes " +
                                      std::to_string(kMostBytes) + ": shorten its metadata or its descriptions of methods"));
    }
    const std::shared_ptr<Held> entry = held(service.name, node);
    const auto lock = co_await entry->mutex.lock(context);
    if (!lock) co_return fail(lock.error());
    entry->value = std::move(*value);
    entry->ephemeral = ttl > Duration::zero();
    Result<void> written = co_await write(context, *entry);
    if (!written) co_return written;
    entry->registered = true;
    if (!entry->ephemeral) {
      entry->timer.cancel();
      continue;
    }
    entry->until = session_.loop().now() + ttl;
    const auto run_out = [](void* argument) {
      auto* const self = static_cast<Held*>(argument);
      Registrar& owner = self->owner;
      if (Gate::Holder holder = owner.gate_.try_enter()) spawn(owner.expire(owner.held_.at(self->path), std::move(holder)));
    };
    entry->timer.set(session_.loop(), entry->until, run_out, entry.get());
  }
  co_return Result<void>{};
}

// One read when all is as it was: a renewal changes nothing, so no watcher hears of it.
Task<Result<void>> Registrar::write(Context& context, const Held& held) {
  for (int step = 0; step < kMostSteps; ++step) {
    Request look{.kind = Request::Kind::kGet, .path = held.path};
    const Result<Answer> there = co_await session_.ask(context, std::move(look));
    if (!there && there.error().code() != Code::kNotFound) co_return fail(there.error());
    const std::int64_t owner = held.ephemeral ? session_.id() : 0;
    Request change{.kind = Request::Kind::kCreate, .path = held.path, .data = held.value, .ephemeral = held.ephemeral};
    if (there) {
      if (there->owner == owner && there->data == held.value) co_return Result<void>{};
      change.kind = there->owner == owner ? Request::Kind::kSet : Request::Kind::kReplace;
    }
    const Result<Answer> done = co_await session_.ask(context, std::move(change));
    if (done) co_return Result<void>{};
    if (done.error().code() == Code::kNotFound && !there) {
      Result<void> made = co_await make_folders(context, paths_.path(held.folder));
      if (!made) co_return made;
    } else if (done.error().code() != Code::kNotFound && done.error().code() != Code::kAlreadyExists) {
      co_return fail(done.error());
    }
  }
  co_return fail(aborted("the " + session_.describe() + ": " + held.path + " is changed by somebody else all the time"));
}

Task<Result<void>> Registrar::make_folders(Context& context, const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    Request folder{.kind = Request::Kind::kCreate, .path = path.substr(0, end)};
    const Result<Answer> made = co_await session_.ask(context, std::move(folder));
    if (!made && made.error().code() != Code::kAlreadyExists) co_return fail(made.error());
    if (end == path.npos) co_return Result<void>{};
  }
}

Task<Result<void>> Registrar::remove(Context& context, registry::Service service) {
  for (const registry::Node& node : service.nodes) {
    const std::shared_ptr<Held> entry = held(service.name, node);
    const auto lock = co_await entry->mutex.lock(context);
    if (!lock) co_return fail(lock.error());
    // Whatever the server says, it is not wanted any more.
    entry->registered = false;
    entry->timer.cancel();
    Request erase{.kind = Request::Kind::kDelete, .path = entry->path};
    const Result<Answer> gone = co_await session_.ask(context, std::move(erase));
    if (!gone && gone.error().code() != Code::kNotFound) co_return fail(gone.error());
  }
  co_return Result<void>{};
}

void Registrar::on_session(bool resumed) {
  if (resumed) return;
  for (const auto& [path, entry] : held_) {
    if (!entry->registered) continue;
    if (Gate::Holder holder = gate_.try_enter()) spawn(restore(entry, std::move(holder)));
  }
}

Task<void> Registrar::restore(std::shared_ptr<Held> held, Gate::Holder) {
  const auto lock = co_await held->mutex.lock(life_);
  if (!lock || !held->registered) co_return;
  if (held->ephemeral && session_.loop().now() >= held->until) co_return;
  // What fails is written with the next renewal.
  if (co_await write(life_, *held)) ++session_.counters.restored;
}

Task<void> Registrar::expire(std::shared_ptr<Held> held, Gate::Holder) {
  do {
    const auto lock = co_await held->mutex.lock(life_);
    if (!lock || !held->registered || session_.loop().now() < held->until) co_return;
    if (co_await erase_ours(life_, *held)) {
      held->registered = false;
      co_return;
    }
  } while (co_await sleep(life_, kRetry));
}

Task<bool> Registrar::erase_ours(Context& context, const Held& held) {
  Request look{.kind = Request::Kind::kGet, .path = held.path};
  const Result<Answer> there = co_await session_.ask(context, std::move(look));
  if (!there) co_return there.error().code() == Code::kNotFound;
  if (there->owner != session_.id()) co_return true;
  Request erase{.kind = Request::Kind::kDelete, .path = held.path};
  const Result<Answer> gone = co_await session_.ask(context, std::move(erase));
  co_return gone || gone.error().code() == Code::kNotFound;
}

Task<void> Registrar::stop() {
  life_.cancel(cancelled("the registry was closed"));
  for (const auto& [path, entry] : held_) entry->timer.cancel();
  co_await gate_.close();
}

}  // namespace micro::zookeeper
