#include "membership.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include <micro/coro/sleep.hpp>
#include <micro/coro/timeout.hpp>
#include <micro/id/id.hpp>
#include <micro/registry/layout.hpp>

namespace micro {
namespace {

// Pauses between tries: doubling, and each shortened by up to half at random, so that the fleet does not ask all at once.
constexpr Duration kFirstRetry = std::chrono::milliseconds(500);
constexpr Duration kLastRetry = std::chrono::seconds(5);
// Of one question to the registry.
constexpr Duration kTimeout = std::chrono::seconds(5);

std::string shown(const registry::Node& node) {
  const std::string_view http = registry::property(node.metadata, registry::kHttpAddressProperty);
  return http.empty() ? node.address : node.address + "_" + std::string(http);
}

}  // namespace

void Membership::joined(const std::string& service, const registry::Node& node) {
  const auto [known, added] = known_.try_emplace({service, node.id}, node);
  const bool moved = !added && shown(known->second) != shown(node);
  known->second = node;
  if (!added && !moved) return;
  logger_.info("[" + service + "] node [" + shown(node) + "] join");
  for (const auto& hook : hooks_) hook->node_joined(service, node);
}

void Membership::left(const std::string& service, const std::string& id) {
  const auto known = known_.extract({service, id});
  if (!known) return;
  logger_.info("[" + service + "] node [" + shown(known.mapped()) + "] leave");
  for (const auto& hook : hooks_) hook->node_left(service, known.mapped());
}

Task<void> Membership::follow(Gate::Holder) {
  Duration backoff = kFirstRetry;
  bool failing = false;
  while (!life_.cancelled()) {
    const TimePoint begun = Clock::now();
    const Result<void> ended = co_await follow_once();
    if (life_.cancelled()) break;
    if (Clock::now() - begun > kTimeout + kLastRetry) {
      backoff = kFirstRetry;
      failing = false;
    }
    if (!failing) {
      logger_.warn("cannot follow the registry; trying again",
                   {{"registry", registry_.describe()}, {"error", ended.error().message()}});
    }
    failing = true;
    const Duration pause = backoff - Duration(static_cast<Duration::rep>(fast_random() % (backoff.count() / 2)));
    backoff = std::min(backoff * 2, kLastRetry);
    if (!co_await sleep(life_, pause)) break;
  }
}

// Watches first and lists then, so that nothing falls between. Ends when the watch does.
Task<Result<void>> Membership::follow_once() {
  const registry::WatchOptions all;
  const auto open = [&](Context& context) { return registry_.watch(context, all); };
  auto watcher = co_await with_timeout(life_, kTimeout, open);
  if (!watcher) co_return std::unexpected(std::move(watcher.error()));
  const auto list = [&](Context& context) { return registry_.list_services(context); };
  auto services = co_await with_timeout(life_, kTimeout, list);
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
