#include "registry_fixture.hpp"

namespace micro::etcd {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using Ids = std::set<std::string>;

// What others see with etcdctl, and what we see of what they write.
class EtcdLayouts : public EtcdTest {
 protected:
  static Options options_with(const EtcdServer& server, const std::string& layout) {
    Options options = options_for(server);
    options.layout = registry::make_layout(layout).value();
    return options;
  }
};

TEST_F(EtcdLayouts, AreWhatOthersRead) {
  MICRO_NEEDS_ETCD();
  struct Case {
    const char* layout;
    const char* pairs;  // key, newline, value
  };
  const Case cases[] = {
      {"go-micro",
       "/micro/registry/greeter/one\n\\{\"name\":\"greeter\",\"version\":\"v1\",\"metadata\":\\{\\},\"endpoints\":\\[\\],"
       "\"nodes\":\\[\\{\"id\":\"one\",\"address\":\"10.0.0.1:80\",\"metadata\":\\{\\}\\}\\]\\}\n"},
      {"kratos",
       "/microservices/greeter/one\n\\{\"id\":\"one\",\"name\":\"greeter\",\"version\":\"v1\",\"metadata\":\\{\\},"
       "\"endpoints\":\\[\"grpc://10.0.0.1:80\",\"http://10.0.0.1:80\"\\]\\}\n"},
      {"go-zero", "greeter/[0-9]+\n10.0.0.1:80\n"},
      {"goms", "goms_greeter_10.0.0.1:80_10.0.0.1:80\n0\n"},
      {"go-garden", "garden_greeter_10.0.0.1:80:80\n0\n"},
  };
  EtcdServer server;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.layout);
    const auto registry = connect(options_with(server, c.layout));
    const auto watcher = watch(*registry);
    ASSERT_TRUE(add(*registry, "one"));
    ASSERT_TRUE(add(*registry, "one"));
    EXPECT_THAT(server.ctl("get \"\" --prefix"), MatchesRegex(c.pairs));
    const auto created = run(watcher->next(context_));
    ASSERT_TRUE(created);
    EXPECT_EQ(created->change, registry::Change::kCreate);
    const auto found = run(registry->get_service(context_, "greeter"));
    ASSERT_TRUE(found) << found.error().to_string();
    EXPECT_EQ(found->at(0).nodes.at(0).address, "10.0.0.1:80");
    ASSERT_TRUE(remove(*registry, "one"));
    EXPECT_EQ(server.ctl("get \"\" --prefix"), "");
    const auto deleted = run(watcher->next(context_));
    ASSERT_TRUE(deleted);
    EXPECT_EQ(deleted->change, registry::Change::kDelete);
    EXPECT_EQ(deleted->service, created->service);
  }
  const auto leases = server.ctl("lease list");
  EXPECT_THAT(leases, HasSubstr("found 0 leases"));
}

TEST_F(EtcdLayouts, GoZeroMovesToItsNewLease) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto registry = connect(options_with(server, "go-zero"));
  ASSERT_TRUE(add(*registry, "one"));
  ASSERT_TRUE(add(*registry, "one", std::chrono::hours(2)));
  EXPECT_THAT(server.ctl("get \"\" --prefix"), MatchesRegex("greeter/[0-9]+\n10.0.0.1:80\n"));
  ASSERT_TRUE(add(*registry, "one", Duration::zero()));
  EXPECT_THAT(server.ctl("get \"\" --prefix"), MatchesRegex("greeter/[0-9]+\n10.0.0.1:80\n"));
  EXPECT_THAT(server.ctl("lease list"), HasSubstr("found 0 leases"));
}

TEST_F(EtcdLayouts, NodesOfOthers) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto registry = connect(options_with(server, "goms"));
  server.ctl("put goms_greeter_127.0.0.1:9181_127.0.0.1:9081 0");
  server.ctl("put goms_greeter_127.0.0.1:9082:9182 0");
  EXPECT_EQ(ids(*registry), (Ids{"127.0.0.1:9181_127.0.0.1:9081", "127.0.0.1:9082:9182"}));
  // By the id alone, whoever wrote it.
  registry::Service leaving{.name = "greeter", .nodes = {{.id = "127.0.0.1:9082:9182"}}};
  ASSERT_TRUE(run(registry->deregister_service(context_, leaving)));
  EXPECT_EQ(ids(*registry), Ids{"127.0.0.1:9181_127.0.0.1:9081"});
}

TEST_F(EtcdLayouts, WhatCannotBeReadIsSkipped) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto registry = connect(options_for(server));
  server.ctl("put /micro/registry/greeter/broken nonsense");
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(ids(*registry), Ids{"one"});
  EXPECT_EQ(registry->counters().malformed, 1u);
  const auto watcher = watch(*registry);
  server.ctl("put /micro/registry/greeter/broken '{}'");
  server.ctl("del /micro/registry/greeter/broken");
  // A good one that goes bad is one that leaves.
  server.ctl("put /micro/registry/greeter/one nonsense");
  const auto event = run(watcher->next(context_));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->change, registry::Change::kDelete);
  EXPECT_EQ(event->service, node("one"));
}

}  // namespace
}  // namespace micro::etcd
