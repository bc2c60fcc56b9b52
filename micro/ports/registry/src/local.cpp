#include <micro/registry/local.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <utility>

#include <micro/coro/sleep.hpp>
#include <micro/loop/loop.hpp>
#include <micro/registry/records.hpp>

#include "ended.hpp"
#include "local_store.hpp"
#include "local_watcher.hpp"

namespace micro::registry {
namespace {

// How often a record waits for others who are just removing a dead one beside it; they need microseconds, unless they were
// stopped.
constexpr int kPublishTries = 50;
constexpr Duration kPublishPause = std::chrono::milliseconds(1);

Task<Result<void>> publish(LocalStore& store, LocalStore::Draft draft) {
  for (int tries = 1;; ++tries) {
    const auto published = store.publish(draft, tries >= kPublishTries || Loop::current() == nullptr);
    if (!published) co_return fail(published.error());
    if (*published) co_return Result<void>{};
    co_await sleep_for(kPublishPause);
  }
}

}  // namespace

struct Local::State {
  std::shared_ptr<LocalStore> store;
};

Local::Local() : Local(Options{}) {}
Local::Local(Options options)
    : state_(std::make_shared<State>(std::make_shared<LocalStore>(std::move(options.directory), std::move(options.time)))) {}
// Watchers share the store and may live longer.
Local::~Local() { state_->store->release(); }

std::string Local::default_directory() {
  struct stat status{};
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/' && ::stat(runtime, &status) == 0 && S_ISDIR(status.st_mode)) {
    return std::string(runtime) + "/micro";
  }
  return "/tmp/micro-" + std::to_string(::geteuid());
}

const std::string& Local::directory() const noexcept { return state_->store->directory(); }
std::string Local::describe() const { return "local registry in " + directory(); }

Task<Result<void>> Local::register_service(Context& context, const Service& service, const RegisterOptions& options) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (auto checked = check_registrable(service); !checked) co_return checked;
  const auto store = state_->store;
  for (const Node& node : service.nodes) {
    auto draft = store->draft(single_node(service, node), options.ttl);
    if (!draft) co_return fail(std::move(draft.error()));
    if (auto published = co_await publish(*store, std::move(*draft)); !published) co_return published;
  }
  co_return Result<void>{};
}

Task<Result<void>> Local::deregister_service(Context& context, const Service& service) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (auto checked = check_deregistrable(service); !checked) co_return checked;
  co_return state_->store->remove(service);
}

Task<Result<std::vector<Service>>> Local::get_service(Context& context, std::string_view name) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (name.empty()) co_return fail(invalid_argument("cannot look up a service without a name"));
  if (auto prepared = state_->store->prepare(); !prepared) co_return fail(std::move(prepared.error()));
  const auto folder = LocalStore::folder_name(name);
  // A name too long to be registered here is simply not there.
  if (!folder) co_return fail(no_node(name, describe()));
  auto records = state_->store->records(*folder);
  if (!records) co_return fail(std::move(records.error()));
  std::vector<Service> found = merge(std::move(*records));
  if (found.empty()) co_return fail(no_node(name, describe()));
  co_return found;
}

Task<Result<std::vector<Service>>> Local::list_services(Context& context) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (auto prepared = state_->store->prepare(); !prepared) co_return fail(std::move(prepared.error()));
  const auto folders = state_->store->folders();
  if (!folders) co_return fail(folders.error());
  std::vector<Service> all;
  for (const std::string& folder : *folders) {
    auto records = state_->store->records(folder);
    if (!records) co_return fail(std::move(records.error()));
    std::move(records->begin(), records->end(), std::back_inserter(all));
  }
  co_return merge(std::move(all));
}

Task<Result<std::unique_ptr<Watcher>>> Local::watch(Context& context, const WatchOptions& options) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  Loop* loop = Loop::current();
  if (loop == nullptr) co_return fail(failed_precondition("a registry can only be watched from a loop"));
  co_return make_local_watcher(*loop, state_->store, options.service);
}

}  // namespace micro::registry
