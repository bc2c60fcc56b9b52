#include "registry_fixture.hpp"

namespace micro::etcd {
namespace {

using testing::HasSubstr;
using Ids = std::set<std::string>;

using EtcdOutage = EtcdTest;

TEST_F(EtcdOutage, ARestartKeepsWhatWasRegistered) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto ours = connect(options_for(server));
  const auto theirs = connect(options_for(server));
  ASSERT_TRUE(add(*ours, "one"));
  const auto watcher = watch(*ours);
  server.process().kill();
  const auto added = add(*ours, "one");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), Code::kUnavailable);
  EXPECT_THAT(added.error().message(), HasSubstr(server.address()));
  const auto got = run(ours->get_service(context_, "greeter"));
  EXPECT_EQ(got.error().code(), Code::kUnavailable);
  EXPECT_THAT(got.error().message(), HasSubstr(server.address()));
  EXPECT_EQ(run(ours->watch(context_, {})).error().code(), Code::kUnavailable);

  server.restart();
  add_again(*ours, "one");
  add_again(*theirs, "two");
  // Nothing was missed, and nothing is told twice.
  const auto event = run(watcher->next(context_));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->change, registry::Change::kCreate);
  EXPECT_EQ(event->service, node("two"));
  EXPECT_EQ(ids(*ours), (Ids{"one", "two"}));
  EXPECT_EQ(ours->counters().leases_lost, 0u);
  EXPECT_EQ(ours->counters().relists, 0u);
  EXPECT_GE(ours->counters().watches_broken, 1u);
}

TEST_F(EtcdOutage, AServerThatLostItsData) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto ours = connect(options_for(server));
  ASSERT_TRUE(add(*ours, "ours"));
  ASSERT_TRUE(add(*connect(options_for(server)), "gone"));
  const auto watcher = watch(*ours);
  server.wipe();
  add_again(*ours, "ours");
  add_again(*ours, "new");
  // Whether it is asked before or after they have registered: what was missed cannot be told.
  const auto event = run(watcher->next(context_));
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code(), Code::kUnavailable);
  EXPECT_THAT(event.error().message(), HasSubstr("lost its data"));
  EXPECT_EQ(ids(*ours), (Ids{"ours", "new"}));
  EXPECT_EQ(ours->counters().leases_lost, 1u);
  const auto next = watch(*ours);
  ASSERT_TRUE(remove(*ours, "new"));
  EXPECT_EQ(run(next->next(context_))->service, node("new"));
}

TEST_F(EtcdOutage, APausedServer) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  Options options = options_for(server);
  options.timeout = std::chrono::seconds(1);
  const auto registry = connect(options);
  add_again(*registry, "one");
  const auto watcher = watch(*registry);
  server.pause();
  const auto got = run(registry->get_service(context_, "greeter"));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Code::kUnavailable);
  EXPECT_THAT(got.error().message(), HasSubstr(server.address()));
  // The watch notices by itself.
  while (registry->counters().watches_broken == 0) run(sleep_for(std::chrono::milliseconds(10)));
  // Somebody with less patience than we have is told that his time was over.
  Context short_of_time;
  short_of_time.set_timeout(std::chrono::milliseconds(50));
  const auto late = run(registry->get_service(short_of_time, "greeter"));
  EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
  EXPECT_THAT(late.error().message(), HasSubstr(server.address()));

  server.process().resume();
  add_again(*registry, "two");
  EXPECT_EQ(follow(*watcher, {"one"}, "two"), (Ids{"one", "two"}));
  EXPECT_EQ(registry->counters().leases_lost, 0u);
}

TEST_F(EtcdOutage, ALostLeaseIsMadeAgain) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto registry = connect(options_for(server));
  ASSERT_TRUE(add(*registry, "one"));
  const auto watcher = watch(*registry);
  const std::string leases = server.ctl("lease list -w simple");
  const std::string lease = leases.substr(leases.find('\n') + 1, leases.find_last_not_of('\n') - leases.find('\n'));
  server.ctl("lease revoke " + lease);
  EXPECT_EQ(run(watcher->next(context_))->change, registry::Change::kDelete);
  EXPECT_EQ(ids(*registry), Ids{});
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(ids(*registry), Ids{"one"});
  EXPECT_EQ(run(watcher->next(context_))->change, registry::Change::kCreate);
  EXPECT_EQ(registry->counters().leases_lost, 1u);
}

TEST_F(EtcdOutage, ADeletedKeyIsWrittenAgain) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto registry = connect(options_for(server));
  ASSERT_TRUE(add(*registry, "one"));
  server.ctl("del --prefix /micro");
  EXPECT_EQ(ids(*registry), Ids{});
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(ids(*registry), Ids{"one"});
  EXPECT_EQ(registry->counters().leases_lost, 0u);
}

TEST_F(EtcdOutage, CompactionUnderAWatch) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto registry = connect(options_for(server));
  ASSERT_TRUE(add(*registry, "stays"));
  ASSERT_TRUE(add(*registry, "goes"));
  const auto watcher = watch(*registry);
  const std::string joins = R"('{"name":"greeter","nodes":[{"id":"joins","address":"10.0.0.9:80"}]}')";
  server.change_aside({"del /micro/registry/greeter/goes", "put /micro/registry/greeter/joins " + joins, "compaction 5"});
  EXPECT_EQ(follow(*watcher, {"stays", "goes"}, "joins"), (Ids{"stays", "goes", "joins"}));
  const auto event = run(watcher->next(context_));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->change, registry::Change::kDelete);
  EXPECT_EQ(event->service, node("goes"));
  EXPECT_EQ(registry->counters().relists, 1u);
  // From there on as always.
  ASSERT_TRUE(remove(*registry, "stays"));
  EXPECT_EQ(run(watcher->next(context_))->service, node("stays"));
}

TEST_F(EtcdOutage, ChangesDuringAnOutageAreTold) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto registry = connect(options_for(server));
  ASSERT_TRUE(add(*registry, "stays"));
  ASSERT_TRUE(add(*registry, "goes"));
  const auto watcher = watch(*registry);
  server.change_aside({"del /micro/registry/greeter/goes"});
  const auto event = run(watcher->next(context_));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->change, registry::Change::kDelete);
  EXPECT_EQ(event->service, node("goes"));
  EXPECT_EQ(registry->counters().relists, 0u);
}

TEST_F(EtcdOutage, TheFirstOfTwoEndpointsIsDead) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  Options options = options_for(server);
  options.endpoints.insert(options.endpoints.begin(), "127.0.0.1:" + std::to_string(testkit::free_port()));
  const auto registry = connect(options);
  const auto watcher = watch(*registry);
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(follow(*watcher, {}, "one"), Ids{"one"});
  EXPECT_EQ(registry->counters().failovers, 1u);
  server.process().kill();
  const auto added = add(*registry, "one");
  EXPECT_EQ(added.error().code(), Code::kUnavailable);
  for (const std::string& endpoint : options.endpoints) EXPECT_THAT(added.error().message(), HasSubstr(endpoint));
}

TEST_F(EtcdOutage, TheFirstOfTwoEndpointsHangs) {
  MICRO_NEEDS_ETCD();
  EtcdServer hanging;
  EtcdServer server;
  Options options = options_for(hanging);
  options.endpoints.push_back(server.address());
  options.timeout = std::chrono::seconds(2);
  const auto registry = connect(options);
  hanging.pause();
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(ids(*registry), Ids{"one"});
  EXPECT_EQ(registry->counters().failovers, 1u);
}

TEST_F(EtcdOutage, ClosingTheRegistryEndsItsWatchers) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  auto registry = connect(options_for(server));
  auto first = watch(*registry);
  const auto second = watch(*registry);
  first.reset();
  registry.reset();
  const auto event = run(second->next(context_));
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace micro::etcd
