#pragma once

#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/testserver/server_process.hpp>
#include <micro/zookeeper/registry.hpp>

#include "session.hpp"

namespace micro::zookeeper {

// A real ZooKeeper of one server, on loopback, with its data in a directory of its own. It ends with its object.
class ZookeeperServer {
 public:
  ZookeeperServer();
  static bool installed();
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  testkit::ServerProcess& process() { return *process_; }
  void restart();
  // Starts it again with nothing of what it knew.
  void wipe();

 private:
  void wait_ready();
  const std::uint16_t port_ = testkit::free_port();
  testkit::TempDirectory directory_;
  std::unique_ptr<testkit::ServerProcess> process_;
};

#define MICRO_NEEDS_ZOOKEEPER()                          \
  if (!::micro::zookeeper::ZookeeperServer::installed()) \
  GTEST_SKIP() << "skipped: no ZooKeeper: apt-get install libzookeeper-java default-jre-headless"

// Tests that disturb a server of their own.
class ZookeeperTest : public testing::Test {
 protected:
  ZookeeperTest() { context_.set_timeout(std::chrono::seconds(90)); }

  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }

  // Fast to notice what is wrong.
  static Options options_for(const ZookeeperServer& server) {
    Options options;
    options.servers = {server.address()};
    options.session_timeout = std::chrono::seconds(2);
    options.timeout = std::chrono::seconds(2);
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
  // Until it works: servers that come back need a moment.
  void add_again(Registry& registry, const std::string& id) {
    const TimePoint end = Clock::now() + std::chrono::seconds(60);
    Result<void> added = add(registry, id);
    while (!added && Clock::now() < end) added = add(registry, id);
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
  std::unique_ptr<registry::Watcher> watch(Registry& registry, const std::string& service = "greeter") {
    const registry::WatchOptions options{.service = service};
    return run(registry.watch(context_, options)).value();
  }
  registry::Event next(registry::Watcher& watcher) {
    auto event = run(watcher.next(context_));
    EXPECT_TRUE(event) << event.error().to_string();
    return event.value_or(registry::Event{.change = registry::Change::kDelete, .service = node("nothing")});
  }
  // Follows until the nodes that are there, of those in `present` to begin with, are `wanted`.
  void follow_to(registry::Watcher& watcher, std::set<std::string> present, const std::set<std::string>& wanted) {
    while (present != wanted) {
      const auto event = run(watcher.next(context_));
      ASSERT_TRUE(event) << event.error().to_string() << ", present are " << testing::PrintToString(present);
      const std::string& who = event->service.nodes.front().id;
      if (event->change == registry::Change::kDelete)
        present.erase(who);
      else
        present.insert(who);
    }
  }

  Loop loop_;
  Context context_;
};

// A connection of the test's own, to see and write what others would.
class Raw {
 public:
  Raw(Loop& loop, const ZookeeperServer& server, const std::string& username = {}, const std::string& password = {});
  ~Raw();
  Result<Answer> ask(Request request);
  void write(const std::string& path, const std::string& data);

 private:
  Loop& loop_;
  Context context_;
  Session session_;
};

}  // namespace micro::zookeeper
