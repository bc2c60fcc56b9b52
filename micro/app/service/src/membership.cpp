#include "membership.hpp"

#include <memory>
#include <set>
#include <vector>

#include <micro/coro/sleep.hpp>
#include <micro/registry/layout.hpp>

namespace micro {
namespace {

constexpr Duration kRetry = std::chrono::seconds(1);

// Both addresses of a node that has two, as goms prints them.
std::string shown(const registry::Node& node) {
  const std::string_view http = registry::property(node.metadata, registry::kHttpAddressProperty);
  return http.empty() ? node.address : node.address + "_" + std::string(http);
}

}  // namespace

void Membership::joined(const std::string& service, const registry::Node& node) {
  std::string& address = known_[{service, node.id}];
  std::string now = shown(node);
  if (address == now) return;
  address = std::move(now);
  logger_.info("[" + service + "] node [" + address + "] join");
}

void Membership::left(const std::string& service, const std::string& id) {
  const auto it = known_.find({service, id});
  if (it == known_.end()) return;
  logger_.info("[" + service + "] node [" + it->second + "] leave");
  known_.erase(it);
}

Task<void> Membership::follow(Gate::Holder) {
  bool failing = false;
  while (!life_.cancelled()) {
    const Result<void> ended = co_await follow_once();
    if (life_.cancelled()) break;
    if (!ended && !failing) {
      logger_.warn("cannot follow the registry; trying again",
                   {{"registry", registry_.describe()}, {"error", ended.error().message()}});
    }
    failing = !ended;
    if (!co_await sleep(life_, kRetry)) break;
  }
}

// Watches first and lists then, so that nothing falls between. Ends when the watch does.
Task<Result<void>> Membership::follow_once() {
  registry::WatchOptions all;
  Result<std::unique_ptr<registry::Watcher>> watcher = co_await registry_.watch(life_, all);
  if (!watcher) co_return std::unexpected(std::move(watcher.error()));
  Result<std::vector<registry::Service>> services = co_await registry_.list_services(life_);
  if (!services) co_return std::unexpected(std::move(services.error()));
  std::set<std::pair<std::string, std::string>> present;
  for (const registry::Service& service : *services) {
    for (const registry::Node& node : service.nodes) {
      present.emplace(service.name, node.id);
      joined(service.name, node);
    }
  }
  std::vector<std::pair<std::string, std::string>> gone;
  for (const auto& entry : known_) {
    if (!present.contains(entry.first)) gone.push_back(entry.first);
  }
  for (const auto& [service, id] : gone) left(service, id);
  while (true) {
    Result<registry::Event> event = co_await (*watcher)->next(life_);
    if (!event) co_return std::unexpected(std::move(event.error()));
    for (const registry::Node& node : event->service.nodes) {
      if (event->change == registry::Change::kDelete) {
        left(event->service.name, node.id);
      } else {
        joined(event->service.name, node);
      }
    }
  }
}

Task<void> Membership::stop() {
  life_.cancel(cancelled("the service is stopping"));
  co_await gate_.close();
}

}  // namespace micro
