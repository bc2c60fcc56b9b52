#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>

#include "etcd_fixture.hpp"

namespace micro::etcd {

// Tests that disturb a server of their own.
class EtcdTest : public testing::Test {
 protected:
  EtcdTest() { context_.set_timeout(std::chrono::seconds(60)); }

  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }

  // Fast to notice what is wrong.
  static Options options_for(const EtcdServer& server) {
    Options options;
    options.endpoints = {server.address()};
    options.timeout = std::chrono::seconds(2);
    options.probe_interval = std::chrono::milliseconds(200);
    return options;
  }
  static std::shared_ptr<Registry> connect(Options options) { return Registry::make(std::move(options)).value(); }

  static registry::Service node(const std::string& id, const std::string& service = "greeter") {
    return {.name = service, .version = "v1", .nodes = {{.id = id, .address = "10.0.0.1:80"}}};
  }
  Result<void> add(Registry& registry, const std::string& id, Duration ttl = std::chrono::hours(1)) {
    const registry::Service service = node(id);
    const registry::RegisterOptions options{.ttl = ttl};
    return run(registry.register_service(context_, service, options));
  }
  // Until it works: a server needs a moment after its start.
  void add_again(Registry& registry, const std::string& id) {
    Result<void> added = add(registry, id);
    while (!added && !context_.cancelled()) added = add(registry, id);
    ASSERT_TRUE(added) << added.error().to_string();
  }
  Result<void> remove(Registry& registry, const std::string& id) {
    const registry::Service service = node(id);
    return run(registry.deregister_service(context_, service));
  }
  std::set<std::string> ids(Registry& registry) {
    std::set<std::string> found;
    auto listed = run(registry.list_services(context_));
    EXPECT_TRUE(listed) << listed.error().to_string();
    for (const auto& service : listed.value_or(std::vector<registry::Service>{})) {
      for (const auto& each : service.nodes) found.insert(each.id);
    }
    return found;
  }
  std::unique_ptr<registry::Watcher> watch(Registry& registry) {
    const registry::WatchOptions options{.service = "greeter"};
    return run(registry.watch(context_, options)).value();
  }
  // Follows until `id` has joined; the nodes that are there then, of those that were in `present`.
  std::set<std::string> follow(registry::Watcher& watcher, std::set<std::string> present, const std::string& id) {
    while (!present.contains(id)) {
      const auto event = run(watcher.next(context_));
      EXPECT_TRUE(event) << event.error().to_string();
      if (!event) break;
      const std::string& who = event->service.nodes.front().id;
      if (event->change == registry::Change::kDelete)
        present.erase(who);
      else
        present.insert(who);
    }
    return present;
  }

  Loop loop_;
  Context context_;
};

}  // namespace micro::etcd
