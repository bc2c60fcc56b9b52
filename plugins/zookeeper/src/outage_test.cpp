#include <micro/registry/cache.hpp>

#include "zookeeper_fixture.hpp"

namespace micro::zookeeper {
namespace {

using registry::Change;
using testing::HasSubstr;
using Ids = std::set<std::string>;

using ZookeeperOutage = ZookeeperTest;

TEST_F(ZookeeperOutage, ARestartKeepsSessionsAndWatches) {
  MICRO_NEEDS_ZOOKEEPER();
  ZookeeperServer server;
  Options options = options_for(server);
  options.session_timeout = std::chrono::seconds(60);
  const auto ours = connect(options);
  const auto theirs = connect(options);
  add_again(*ours, "one");
  add_again(*theirs, "two");
  const auto watcher = watch(*ours);
  server.process().kill();
  const auto added = add(*ours, "one");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), Code::kUnavailable);
  EXPECT_EQ(added.error().reason(), "REGISTRY_UNAVAILABLE");
  EXPECT_THAT(added.error().message(), HasSubstr("zookeeper registry at " + server.address() + " cannot be reached"));
  EXPECT_EQ(run(ours->get_service(context_, "greeter")).error().code(), Code::kUnavailable);
  EXPECT_EQ(run(ours->watch(context_, {})).error().code(), Code::kUnavailable);

  server.restart();
  add_again(*theirs, "three");
  const auto event = next(*watcher);
  EXPECT_EQ(event.change, Change::kCreate);
  EXPECT_EQ(event.service, node("three"));
  EXPECT_EQ(ids(*ours), (Ids{"one", "two", "three"}));
  EXPECT_EQ(ours->counters().sessions, 1u);
  EXPECT_EQ(ours->counters().restored, 0u);
}

TEST_F(ZookeeperOutage, AServerThatLostItsData) {
  MICRO_NEEDS_ZOOKEEPER();
  ZookeeperServer server;
  const auto ours = connect(options_for(server));
  add_again(*ours, "ours");
  auto theirs = connect(options_for(server));
  add_again(*theirs, "gone");
  const auto watcher = watch(*ours);
  const auto of_all = watch(*ours, "");
  server.process().kill();
  theirs.reset();
  server.wipe();
  for (registry::Watcher* each : {watcher.get(), of_all.get()}) {
    const auto event = run(each->next(context_));
    ASSERT_FALSE(event) << "that they were lost does not mean that they have left";
    EXPECT_EQ(event.error().code(), Code::kUnavailable);
  }
  // Without anybody registering again.
  while (ours->counters().restored == 0 && Clock::now() < *context_.deadline()) run(sleep_for(std::chrono::milliseconds(20)));
  EXPECT_EQ(ids(*ours), Ids{"ours"});
  EXPECT_GE(ours->counters().sessions, 2u);
  const auto another = watch(*ours);
  add_again(*ours, "new");
  EXPECT_EQ(next(*another).service, node("new"));
}

// What a client sees of it: no node is lost.
TEST_F(ZookeeperOutage, ACacheKeepsWhatAServerHasLost) {
  MICRO_NEEDS_ZOOKEEPER();
  ZookeeperServer server;
  const auto ours = connect(options_for(server));
  add_again(*ours, "ours");
  auto theirs = connect(options_for(server));
  add_again(*theirs, "silent");
  registry::Cache::Options remembered;
  remembered.keep_missing = std::chrono::hours(1);
  registry::Cache cache(ours, remembered);
  cache.start(loop_);
  ASSERT_TRUE(run(cache.lookup(context_, "greeter")));
  server.process().kill();
  theirs.reset();
  server.wipe();
  add_again(*ours, "new");
  registry::Cache::View view(cache);
  const auto count = [&] { return view.get("greeter")->candidates.size(); };
  while (count() != 3 && Clock::now() < *context_.deadline()) {
    EXPECT_EQ(count(), 2u);
    run(sleep_for(std::chrono::milliseconds(20)));
  }
  EXPECT_EQ(count(), 3u);
  ASSERT_TRUE(remove(*ours, "new"));
  while (count() != 2 && Clock::now() < *context_.deadline()) run(sleep_for(std::chrono::milliseconds(20)));
  EXPECT_EQ(count(), 2u) << "told by the watch, so believed";
  block_on(loop_, cache.stop());
}

TEST_F(ZookeeperOutage, APausedServer) {
  MICRO_NEEDS_ZOOKEEPER();
  ZookeeperServer server;
  const auto registry = connect(options_for(server));
  add_again(*registry, "one");
  const auto watcher = watch(*registry);
  server.process().pause();
  const auto impatient = [&] {
    Context short_of_time;
    short_of_time.set_timeout(std::chrono::milliseconds(50));
    return run(registry->get_service(short_of_time, "greeter"));
  };
  auto late = impatient();
  while (late) late = impatient();  // its threads stop one by one
  EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
  EXPECT_THAT(late.error().message(), HasSubstr(server.address()));
  const auto got = run(registry->get_service(context_, "greeter"));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Code::kUnavailable);
  EXPECT_THAT(got.error().message(), HasSubstr(server.address()));
  server.process().resume();
  add_again(*registry, "two");
  // The session may have ended or not, which is what the watcher says.
  const auto event = run(watcher->next(context_));
  EXPECT_EQ(event.has_value(), registry->counters().sessions == 1) << (event ? "told" : event.error().to_string());
  while (ids(*registry) != Ids{"one", "two"} && Clock::now() < *context_.deadline())
    run(sleep_for(std::chrono::milliseconds(20)));
  EXPECT_EQ(ids(*registry), (Ids{"one", "two"}));
}

TEST_F(ZookeeperOutage, APausedProcessIsOutAndBackWhenItGoesOn) {
  MICRO_NEEDS_ZOOKEEPER();
  ZookeeperServer server;
  const auto registry = connect(options_for(server));
  add_again(*registry, "other");
  ASSERT_TRUE(remove(*registry, "other"));
  const auto watcher = watch(*registry);
  auto process = testkit::ServerProcess::start({.command = {ZOOKEEPER_HOLD, server.address(), "paused", "1000"}}).value();
  follow_to(*watcher, {}, {"paused"});
  process->pause();
  follow_to(*watcher, {"paused"}, {});
  EXPECT_EQ(ids(*registry), Ids{});
  process->resume();
  follow_to(*watcher, {}, {"paused"});
  process->kill();
  follow_to(*watcher, {"paused"}, {});
}

TEST_F(ZookeeperOutage, AServerThatComesLater) {
  MICRO_NEEDS_ZOOKEEPER();
  ZookeeperServer server;
  server.process().kill();
  const auto registry = connect(options_for(server));
  EXPECT_EQ(add(*registry, "one").error().code(), Code::kUnavailable);
  server.restart();
  add_again(*registry, "one");
  EXPECT_EQ(ids(*registry), Ids{"one"});
}

TEST_F(ZookeeperOutage, TheFirstOfTwoServersIsDead) {
  MICRO_NEEDS_ZOOKEEPER();
  ZookeeperServer server;
  Options options = options_for(server);
  options.servers.insert(options.servers.begin(), "127.0.0.1:" + std::to_string(testkit::free_port()));
  const auto registry = connect(options);
  add_again(*registry, "one");
  EXPECT_EQ(ids(*registry), Ids{"one"});
  EXPECT_EQ(registry->describe(), "zookeeper registry at " + options.servers[0] + "," + options.servers[1]);
}

TEST_F(ZookeeperOutage, ClosingTheRegistryEndsItsWatchersAndRecords) {
  MICRO_NEEDS_ZOOKEEPER();
  ZookeeperServer server;
  const auto other = connect(options_for(server));
  add_again(*other, "other");
  auto registry = connect(options_for(server));
  add_again(*registry, "one");
  auto first = watch(*registry);
  const auto second = watch(*registry);
  const auto theirs = watch(*other);
  first.reset();
  registry.reset();
  const auto event = run(second->next(context_));
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code(), Code::kUnavailable);
  EXPECT_EQ(next(*theirs).change, Change::kDelete);
}

TEST_F(ZookeeperOutage, ARegistryThatWasNeverConnectedCanBeClosed) {
  Options options;
  options.servers = {"127.0.0.1:" + std::to_string(testkit::free_port())};
  options.timeout = std::chrono::milliseconds(20);
  const auto registry = connect(options);
  EXPECT_EQ(add(*registry, "one").error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace micro::zookeeper
