// What is in the tree, byte by byte, and what others put there.
#include "zookeeper_fixture.hpp"

namespace micro::zookeeper {
namespace {

using registry::Change;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Ids = std::set<std::string>;

class ZookeeperRecords : public ZookeeperTest {
 protected:
  static ZookeeperServer& server() {
    static ZookeeperServer one;
    return one;
  }
  // A tree of the test's own.
  static Options options(const std::string& root, const std::string& layout = "go-micro") {
    Options options = options_for(server());
    options.session_timeout = std::chrono::seconds(10);
    options.layout = registry::make_layout(layout + ":" + root).value();
    return options;
  }
  static constexpr const char* kTheirs =
      R"({"name":"greeter","version":"latest","metadata":null,"endpoints":null,)"
      R"("nodes":[{"metadata":{"protocol":"mucp"},"id":"greeter-7","address":"10.0.0.7:80"}]})";
};

TEST_F(ZookeeperRecords, AreWhereGoMicroLooks) {
  MICRO_NEEDS_ZOOKEEPER();
  ZookeeperServer own;
  const auto registry = connect(options_for(own));
  ASSERT_TRUE(add(*registry, "greeter-1"));
  ASSERT_TRUE(add(*registry, "greeter/2", Duration::zero()));
  Raw raw(loop_, own);
  const auto record = raw.ask({.path = "/micro-registry/greeter/greeter-1"});
  ASSERT_TRUE(record) << record.error().to_string();
  EXPECT_EQ(record->data, registry::to_json(node("greeter-1")));
  EXPECT_NE(record->owner, 0) << "ends with its session";
  const auto all = raw.ask({.kind = Request::Kind::kChildren, .path = "/micro-registry/greeter"});
  ASSERT_EQ(all->children.size(), 2u);
  const auto& second = all->children[0] == "greeter-1" ? all->children[1] : all->children[0];
  EXPECT_TRUE(second.starts_with("greeter-2")) << second;
  EXPECT_EQ(raw.ask({.path = "/micro-registry/greeter/" + second})->owner, 0) << "no time to live: persistent";
}

TEST_F(ZookeeperRecords, OfOthersAreReadAndFollowed) {
  MICRO_NEEDS_ZOOKEEPER();
  const auto registry = connect(options("/others"));
  const auto watcher = watch(*registry);
  const auto all = watch(*registry, "");
  Raw raw(loop_, server());
  raw.write("/others/greeter/greeter-7", kTheirs);
  raw.write("/others/greeter/broken", "no JSON");
  raw.write("/others/greeter/empty", "");
  for (registry::Watcher* each : {watcher.get(), all.get()}) {
    const auto event = next(*each);
    EXPECT_EQ(event.change, Change::kCreate);
    EXPECT_EQ(event.service.nodes[0].address, "10.0.0.7:80");
  }
  EXPECT_EQ(ids(*registry), Ids{"greeter-7"});
  EXPECT_GE(registry->counters().malformed, 2u);
  std::string moved = kTheirs;
  moved.replace(moved.find("10.0.0.7"), 8, "10.0.0.8");
  ASSERT_TRUE(raw.ask({.kind = Request::Kind::kSet, .path = "/others/greeter/greeter-7", .data = moved}));
  for (registry::Watcher* each : {watcher.get(), all.get()}) {
    const auto event = next(*each);
    EXPECT_EQ(event.change, Change::kUpdate);
    EXPECT_EQ(event.service.nodes[0].address, "10.0.0.8:80");
  }
  ASSERT_TRUE(raw.ask({.kind = Request::Kind::kSet, .path = "/others/greeter/greeter-7", .data = "no JSON any more"}));
  for (registry::Watcher* each : {watcher.get(), all.get()}) EXPECT_EQ(next(*each).change, Change::kDelete);
  ASSERT_TRUE(raw.ask({.kind = Request::Kind::kSet, .path = "/others/greeter/greeter-7", .data = kTheirs}));
  for (registry::Watcher* each : {watcher.get(), all.get()}) EXPECT_EQ(next(*each).change, Change::kCreate);
  // The whole folder goes and comes back.
  for (const char* leaf : {"greeter-7", "broken", "empty"}) {
    ASSERT_TRUE(raw.ask({.kind = Request::Kind::kDelete, .path = std::string("/others/greeter/") + leaf}));
  }
  ASSERT_TRUE(raw.ask({.kind = Request::Kind::kDelete, .path = "/others/greeter"}));
  for (registry::Watcher* each : {watcher.get(), all.get()}) EXPECT_EQ(next(*each).change, Change::kDelete);
  raw.write("/others/greeter/greeter-7", kTheirs);
  for (registry::Watcher* each : {watcher.get(), all.get()}) EXPECT_EQ(next(*each).change, Change::kCreate);
  ASSERT_TRUE(remove(*registry, "greeter-7")) << "and may be removed by anybody";
  EXPECT_EQ(next(*watcher).change, Change::kDelete);
}

TEST_F(ZookeeperRecords, APersistentOneBecomesOurs) {
  MICRO_NEEDS_ZOOKEEPER();
  auto registry = connect(options("/takeover"));
  Raw raw(loop_, server());
  raw.write("/takeover/greeter/greeter-7", kTheirs);
  const auto watcher = watch(*registry);
  ASSERT_TRUE(add(*registry, "greeter-7"));
  EXPECT_EQ(next(*watcher).change, Change::kUpdate) << "nobody sees it gone";
  const auto record = raw.ask({.path = "/takeover/greeter/greeter-7"});
  EXPECT_NE(record->owner, 0);
  registry.reset();
  const auto other = connect(options("/takeover"));
  while (!ids(*other).empty() && Clock::now() < *context_.deadline()) run(sleep_for(std::chrono::milliseconds(10)));
  EXPECT_EQ(ids(*other), Ids{});
}

TEST_F(ZookeeperRecords, ARenewalWritesNothing) {
  MICRO_NEEDS_ZOOKEEPER();
  const auto registry = connect(options("/renewal"));
  ASSERT_TRUE(add(*registry, "one"));
  const auto watcher = watch(*registry);
  ASSERT_TRUE(add(*registry, "one"));
  ASSERT_TRUE(add(*registry, "two"));
  EXPECT_EQ(next(*watcher).service, node("two"));
}

TEST_F(ZookeeperRecords, OneThatWasDeletedIsBackWithTheNextRenewal) {
  MICRO_NEEDS_ZOOKEEPER();
  const auto registry = connect(options("/deleted"));
  ASSERT_TRUE(add(*registry, "one"));
  Raw raw(loop_, server());
  ASSERT_TRUE(raw.ask({.kind = Request::Kind::kDelete, .path = "/deleted/greeter/one"}));
  EXPECT_EQ(ids(*registry), Ids{});
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(ids(*registry), Ids{"one"});
}

TEST_F(ZookeeperRecords, OnesThatAreTooBigAreRefused) {
  MICRO_NEEDS_ZOOKEEPER();
  const auto registry = connect(options("/big"));
  registry::Service service = node("one");
  service.nodes[0].metadata = {{"text", std::string(1'100'000, 'x')}};
  const registry::RegisterOptions forever{.ttl = Duration::zero()};
  const auto added = run(registry->register_service(context_, service, forever));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(added.error().message(), HasSubstr("ZooKeeper takes 1000000"));
}

TEST_F(ZookeeperRecords, OfKratosAreItsOwnForm) {
  MICRO_NEEDS_ZOOKEEPER();
  const auto registry = connect(options("/microservices", "kratos"));
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(ids(*registry), Ids{"one"});
  Raw raw(loop_, server());
  EXPECT_THAT(raw.ask({.path = "/microservices/greeter/one"})->data, HasSubstr("grpc://10.0.0.1:80"));
}

TEST_F(ZookeeperRecords, AreProtectedByAPassword) {
  MICRO_NEEDS_ZOOKEEPER();
  Options protected_options = options("/protected");
  protected_options.username = "micro";
  protected_options.password = "s3cr3t-word";
  const auto ours = connect(protected_options);
  const auto stranger = connect(options("/protected"));
  ASSERT_TRUE(add(*ours, "one"));
  EXPECT_EQ(ids(*stranger), Ids{"one"}) << "all may read";
  for (const auto& refused : {add(*stranger, "one"), remove(*stranger, "one"), add(*stranger, "two")}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
    EXPECT_THAT(refused.error().to_string(), AllOf(HasSubstr("ZOOKEEPER_USERNAME"), Not(HasSubstr("s3cr3t"))));
  }
  const auto same_user = connect(protected_options);
  ASSERT_TRUE(remove(*same_user, "one"));
  EXPECT_EQ(ids(*ours), Ids{});
  EXPECT_THAT(ours->describe(), Not(HasSubstr("s3cr3t")));
}

}  // namespace
}  // namespace micro::zookeeper
