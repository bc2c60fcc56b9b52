#include <micro/registry/conformance.hpp>

#include <algorithm>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>
#include <thread>

#include <micro/coro/event.hpp>

namespace micro::registry::conformance {

std::string subject_name(const testing::TestParamInfo<Subject>& info) { return info.param.name; }

void PrintTo(const Seen& seen, std::ostream* out) {
  constexpr const char* kNames[] = {"create ", "update ", "delete "};
  *out << kNames[static_cast<int>(seen.change)] << seen.service << " " << seen.node;
}

Service one_node(const std::string& service, const std::string& id, const std::string& version, const std::string& address) {
  return {.name = service, .version = version, .nodes = {{.id = id, .address = address}}};
}

RegistryConformance::RegistryConformance() { context_.set_timeout(std::chrono::seconds(30)); }

Result<void> RegistryConformance::add(const Service& service, Duration ttl) {
  const RegisterOptions options{.ttl = ttl};
  return run(registry_->register_service(context_, service, options));
}

Result<void> RegistryConformance::remove(const Service& service) { return run(registry_->deregister_service(context_, service)); }

Result<std::vector<Service>> RegistryConformance::get(std::string_view name) {
  return run(registry_->get_service(context_, name));
}

std::vector<Service> RegistryConformance::list() {
  auto listed = run(registry_->list_services(context_));
  EXPECT_TRUE(listed) << listed.error().to_string();
  return listed.value_or(std::vector<Service>{});
}

std::unique_ptr<Watcher> RegistryConformance::watch(const std::string& service) {
  const WatchOptions options{.service = service};
  auto watcher = run(registry_->watch(context_, options));
  if (!watcher) throw std::runtime_error(watcher.error().to_string());
  return std::move(*watcher);
}

std::vector<Seen> RegistryConformance::events(Watcher& watcher, std::size_t count) {
  std::vector<Seen> seen;
  while (seen.size() < count) {
    const auto event = run(watcher.next(context_));
    EXPECT_TRUE(event) << event.error().to_string();
    if (!event) break;
    EXPECT_EQ(event->service.nodes.size(), 1u) << "an event is about one node";
    seen.push_back({event->change, event->service.name, event->service.nodes.front().id});
  }
  return seen;
}

std::vector<std::string> RegistryConformance::node_ids(std::string_view name) {
  std::vector<std::string> ids;
  for (const Service& service : get(name).value_or(std::vector<Service>{})) {
    for (const Node& node : service.nodes) ids.push_back(node.id);
  }
  return ids;
}

void RegistryConformance::expect_quiet(Watcher& watcher) {
  const std::string id = "sentinel-" + std::to_string(++quiet_checks_);
  ASSERT_TRUE(add(one_node("sentinel", id)));
  EXPECT_EQ(events(watcher, 1), (std::vector<Seen>{{Change::kCreate, "sentinel", id}}));
}

namespace {

using Seens = std::vector<Seen>;
using Ids = std::vector<std::string>;

// Changes of different nodes have no order.
Seens by_node(Seens seen) {
  std::ranges::sort(seen, {}, &Seen::node);
  return seen;
}

Service full_record() {
  const codec::Schema name{.name = "name", .type = "string"};
  return {.name = "greeter",
          .version = "v1.2.3",
          .metadata = {{"team", "core"}},
          .endpoints = {{.name = "Greeter.Hello",
                         .request = {.name = "HelloRequest", .type = "HelloRequest", .values = {name}},
                         .response = {.name = "HelloReply", .type = "HelloReply", .values = {name, name}},
                         .metadata = {{"kind", "unary"}, {"path", "/greeter.Greeter/Hello"}}},
                        {.name = "Greeter.Watch", .metadata = {{"stream", "true"}}}},
          .nodes = {{.id = "greeter-1", .address = "10.0.0.1:80", .metadata = {{"protocol", "grpc"}, {"zone", "eu \"1\""}}}}};
}

TEST_P(RegistryConformance, NamesItself) {
  EXPECT_FALSE(registry_->name().empty());
  EXPECT_NE(registry_->describe().find(registry_->name()), std::string::npos);
}

TEST_P(RegistryConformance, KeepsTheWholeRecord) {
  ASSERT_TRUE(add(full_record()));
  const auto found = get("greeter");
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(*found, std::vector<Service>{full_record()});
  EXPECT_EQ(list(), std::vector<Service>{full_record()});
}

TEST_P(RegistryConformance, AnEmptyRegistryKnowsNothing) {
  EXPECT_TRUE(list().empty());
  const auto found = get("greeter");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kNotFound);
  EXPECT_NE(found.error().message().find("greeter"), std::string::npos) << found.error().message();
  EXPECT_NE(found.error().message().find(registry_->describe()), std::string::npos) << found.error().message();
}

TEST_P(RegistryConformance, ListIsSortedByNameAndVersion) {
  for (const auto& [name, version] : {std::pair{"b", "v2"}, {"c", "v1"}, {"b", "v1"}, {"a", "v1"}}) {
    ASSERT_TRUE(add(one_node(name, std::string(name) + version, version)));
  }
  Ids names;
  for (const Service& service : list()) names.push_back(service.name + " " + service.version + " " + service.nodes.at(0).id);
  EXPECT_EQ(names, (Ids{"a v1 av1", "b v1 bv1", "b v2 bv2", "c v1 cv1"}));
}

TEST_P(RegistryConformance, DeregisteringRemovesTheNamedNodesOnly) {
  for (const char* id : {"one", "two", "three"}) ASSERT_TRUE(add(one_node("greeter", id)));
  ASSERT_TRUE(add(one_node("other", "one")));
  Service leaving = one_node("greeter", "one");
  leaving.nodes.push_back({.id = "three"});
  ASSERT_TRUE(remove(leaving));
  EXPECT_EQ(node_ids("greeter"), Ids{"two"});
  EXPECT_EQ(node_ids("other"), Ids{"one"});
  ASSERT_TRUE(remove(one_node("greeter", "two")));
  EXPECT_EQ(get("greeter").error().code(), Code::kNotFound);
  EXPECT_EQ(list().size(), 1u);
}

TEST_P(RegistryConformance, DeregisteringWhatIsNotThereIsNoError) {
  EXPECT_TRUE(remove(one_node("nobody", "none")));
  ASSERT_TRUE(add(one_node("greeter", "one")));
  EXPECT_TRUE(remove(one_node("greeter", "two")));
  EXPECT_EQ(node_ids("greeter"), Ids{"one"});
}

TEST_P(RegistryConformance, NodesOfOneVersionAreMerged) {
  Service both = one_node("greeter", "b", "v1");
  both.nodes.push_back({.id = "a", .address = "10.0.0.2:80"});
  ASSERT_TRUE(add(both));
  ASSERT_TRUE(add(one_node("greeter", "c", "v1")));
  ASSERT_TRUE(add(one_node("greeter", "d", "v2")));
  const auto found = get("greeter");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[0].version, "v1");
  EXPECT_EQ((*found)[0].nodes.size(), 3u);
  EXPECT_EQ((*found)[1].version, "v2");
  EXPECT_EQ((*found)[1].nodes.size(), 1u);
  EXPECT_EQ(node_ids("greeter"), (Ids{"a", "b", "c", "d"}));
}

TEST_P(RegistryConformance, RegisteringAgainReplaces) {
  ASSERT_TRUE(add(one_node("greeter", "one", "v1", "10.0.0.1:80")));
  ASSERT_TRUE(add(one_node("greeter", "one", "v1", "10.0.0.9:80")));
  EXPECT_EQ(*get("greeter"), std::vector<Service>{one_node("greeter", "one", "v1", "10.0.0.9:80")});
  ASSERT_TRUE(add(one_node("greeter", "one", "v2", "10.0.0.9:80")));
  EXPECT_EQ(*get("greeter"), std::vector<Service>{one_node("greeter", "one", "v2", "10.0.0.9:80")});
}

TEST_P(RegistryConformance, RecordsRunOut) {
  if (const std::string why = backend_->why_no_ttl(); !why.empty()) GTEST_SKIP() << why;
  const Duration ttl = backend_->shortest_ttl();
  ASSERT_TRUE(add(one_node("greeter", "short"), ttl));
  ASSERT_TRUE(add(one_node("greeter", "long"), ttl * 100));
  block_on(loop_, backend_->advance(ttl + ttl / 2));
  EXPECT_EQ(node_ids("greeter"), Ids{"long"});
  EXPECT_EQ(list().at(0).nodes.size(), 1u);
}

TEST_P(RegistryConformance, RegisteringAgainRenews) {
  if (const std::string why = backend_->why_no_ttl(); !why.empty()) GTEST_SKIP() << why;
  const Duration ttl = backend_->shortest_ttl();
  const auto half_the_time = [&] { block_on(loop_, backend_->advance(ttl / 2 + ttl / 10)); };
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(add(one_node("greeter", "one"), ttl));
    half_the_time();
    EXPECT_EQ(node_ids("greeter"), Ids{"one"});
  }
  half_the_time();
  EXPECT_EQ(node_ids("greeter"), Ids{});
  ASSERT_TRUE(add(one_node("greeter", "one"), ttl));
  EXPECT_EQ(node_ids("greeter"), Ids{"one"}) << "a record that has run out can come back";
}

TEST_P(RegistryConformance, ZeroTimeToLiveStays) {
  ASSERT_TRUE(add(one_node("greeter", "one"), Duration::zero()));
  block_on(loop_, backend_->advance(backend_->shortest_ttl() * 3));
  EXPECT_EQ(node_ids("greeter"), Ids{"one"});
}

TEST_P(RegistryConformance, WatchTellsEachChangeOnce) {
  ASSERT_TRUE(add(one_node("greeter", "before")));
  const auto watcher = watch();
  ASSERT_TRUE(add(one_node("greeter", "one")));
  ASSERT_EQ(events(*watcher, 1), (Seens{{Change::kCreate, "greeter", "one"}}));
  ASSERT_TRUE(add(one_node("greeter", "one")));  // only renewed
  ASSERT_TRUE(add(one_node("greeter", "one", "v1", "10.0.0.9:80")));
  ASSERT_EQ(events(*watcher, 1), (Seens{{Change::kUpdate, "greeter", "one"}}));
  ASSERT_TRUE(remove(one_node("greeter", "one")));
  ASSERT_TRUE(remove(one_node("greeter", "one")));
  ASSERT_EQ(events(*watcher, 1), (Seens{{Change::kDelete, "greeter", "one"}}));
  ASSERT_TRUE(remove(one_node("greeter", "before")));
  ASSERT_EQ(events(*watcher, 1), (Seens{{Change::kDelete, "greeter", "before"}}));
  expect_quiet(*watcher);
}

TEST_P(RegistryConformance, EventsCarryTheRecord) {
  const auto watcher = watch("greeter");
  ASSERT_TRUE(add(full_record()));
  const auto created = run(watcher->next(context_));
  ASSERT_TRUE(created);
  EXPECT_EQ(created->service, full_record());
  ASSERT_TRUE(remove(full_record()));
  const auto deleted = run(watcher->next(context_));
  ASSERT_TRUE(deleted);
  EXPECT_EQ(deleted->change, Change::kDelete);
  EXPECT_EQ(deleted->service.version, full_record().version);
  EXPECT_EQ(deleted->service.nodes.at(0).address, "10.0.0.1:80");
}

TEST_P(RegistryConformance, WatchOfOneServiceIgnoresOthers) {
  const auto one = watch("greeter");
  const auto all = watch();
  ASSERT_TRUE(add(one_node("greet", "a")));
  ASSERT_TRUE(add(one_node("greeter2", "b")));
  ASSERT_TRUE(add(one_node("greeter", "c")));
  EXPECT_EQ(events(*one, 1), (Seens{{Change::kCreate, "greeter", "c"}}));
  EXPECT_EQ(by_node(events(*all, 3)),
            (Seens{{Change::kCreate, "greet", "a"}, {Change::kCreate, "greeter2", "b"}, {Change::kCreate, "greeter", "c"}}));
}

TEST_P(RegistryConformance, WatchTellsOfRecordsThatRunOut) {
  if (const std::string why = backend_->why_no_ttl(); !why.empty()) GTEST_SKIP() << why;
  const Duration ttl = backend_->shortest_ttl();
  const auto watcher = watch();
  ASSERT_TRUE(add(one_node("greeter", "one"), ttl));
  ASSERT_EQ(events(*watcher, 1), (Seens{{Change::kCreate, "greeter", "one"}}));
  block_on(loop_, backend_->advance(ttl + ttl / 2));
  ASSERT_EQ(events(*watcher, 1), (Seens{{Change::kDelete, "greeter", "one"}}));
  ASSERT_TRUE(add(one_node("greeter", "one"), ttl * 100));
  ASSERT_EQ(events(*watcher, 1), (Seens{{Change::kCreate, "greeter", "one"}}));
  expect_quiet(*watcher);
}

TEST_P(RegistryConformance, EveryWatcherGetsEverything) {
  const auto first = watch("greeter");
  ASSERT_TRUE(add(one_node("greeter", "one")));
  const auto second = watch("greeter");
  ASSERT_TRUE(add(one_node("greeter", "two")));
  EXPECT_EQ(by_node(events(*first, 2)), (Seens{{Change::kCreate, "greeter", "one"}, {Change::kCreate, "greeter", "two"}}));
  EXPECT_EQ(events(*second, 1), (Seens{{Change::kCreate, "greeter", "two"}}));
}

// Awaits next() beside the test's own work, so that the test can end it.
struct Pending {
  std::optional<Result<Event>> outcome;
  micro::Event done;
  static Task<void> wait(Pending& self, Watcher& watcher, Context& context) {
    self.outcome.emplace(co_await watcher.next(context));
    self.done.set();
  }
};

Task<Code> code_after(Watcher& watcher, Context& context, const std::function<void()>& end) {
  Pending pending;
  spawn(Pending::wait(pending, watcher, context));
  co_await Loop::current()->yield();
  EXPECT_FALSE(pending.done.is_set());
  end();
  co_await pending.done.wait();
  co_return *pending.outcome ? Code::kOk : pending.outcome->error().code();
}

TEST_P(RegistryConformance, StopEndsTheWatch) {
  const auto watcher = watch();
  EXPECT_EQ(run(code_after(*watcher, context_, [&] { watcher->stop(); })), Code::kCancelled);
  watcher->stop();
  ASSERT_TRUE(add(one_node("greeter", "one")));
  const auto later = run(watcher->next(context_));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code(), Code::kCancelled);
}

TEST_P(RegistryConformance, TheContextEndsOneNextOnly) {
  const auto watcher = watch();
  Context gives_up(context_);
  EXPECT_EQ(run(code_after(*watcher, gives_up, [&] { gives_up.cancel(unknown("no longer wanted")); })), Code::kCancelled);
  EXPECT_EQ(run(watcher->next(gives_up)).error().code(), Code::kCancelled);
  Context too_late(context_);
  too_late.set_timeout(std::chrono::milliseconds(1));
  EXPECT_EQ(run(watcher->next(too_late)).error().code(), Code::kCancelled);
  ASSERT_TRUE(add(one_node("greeter", "one")));
  EXPECT_EQ(events(*watcher, 1), (Seens{{Change::kCreate, "greeter", "one"}}));
}

TEST_P(RegistryConformance, AWatcherMayBeDestroyedWhileSomebodyWaits) {
  auto watcher = watch();
  EXPECT_EQ(run(code_after(*watcher, context_, [&] { watcher.reset(); })), Code::kCancelled);
}

TEST_P(RegistryConformance, AnEndedContextAsksNothing) {
  Context over;
  over.cancel(cancelled("the caller has gone"));
  EXPECT_EQ(run(registry_->register_service(over, one_node("greeter", "one"), {})).error().code(), Code::kCancelled);
  EXPECT_EQ(run(registry_->deregister_service(over, one_node("greeter", "one"))).error().code(), Code::kCancelled);
  EXPECT_EQ(run(registry_->get_service(over, "greeter")).error().code(), Code::kCancelled);
  EXPECT_EQ(run(registry_->list_services(over)).error().code(), Code::kCancelled);
  EXPECT_EQ(run(registry_->watch(over, {})).error().code(), Code::kCancelled);
  EXPECT_TRUE(list().empty());
}

TEST_P(RegistryConformance, RefusesInvalidRecords) {
  struct Case {
    const char* what;
    Service service;
    bool may_leave;  // deregistering it is fine
  };
  Service twice = one_node("greeter", "one");
  twice.nodes.push_back({.id = "one", .address = "10.0.0.2:80"});
  const std::vector<Case> cases{{"no name", one_node("", "one"), false},
                                {"no node", {.name = "greeter"}, true},
                                {"no id", one_node("greeter", ""), false},
                                {"no address", one_node("greeter", "one", "v1", ""), true},
                                {"one id twice", twice, false}};
  for (const Case& c : cases) {
    const auto added = add(c.service);
    ASSERT_FALSE(added) << c.what;
    EXPECT_EQ(added.error().code(), Code::kInvalidArgument) << c.what;
    const auto removed = remove(c.service);
    EXPECT_EQ(removed.has_value(), c.may_leave) << c.what;
    if (!removed) EXPECT_EQ(removed.error().code(), Code::kInvalidArgument) << c.what;
  }
  EXPECT_EQ(get("").error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(list().empty());
}

TEST_P(RegistryConformance, NamesMayBeAnything) {
  const Ids names{"grüße", "日本", "a/b", "/",       "..",   ".",     "../../etc", "a b",
                  "a%2Fb", "-",    "~",   "a\"b\\c", "a\nb", "tab\t", ".hidden",   "x.json"};
  const auto watcher = watch();
  for (const std::string& name : names) {
    ASSERT_TRUE(add(one_node(name, "node of " + name)));
    ASSERT_TRUE(add(one_node("the same", name)));
    const Seens expected{{Change::kCreate, name, "node of " + name}, {Change::kCreate, "the same", name}};
    EXPECT_EQ(by_node(events(*watcher, 2)), by_node(expected));
    EXPECT_EQ(node_ids(name), Ids{"node of " + name});
  }
  EXPECT_EQ(list().size(), names.size() + 1);
  Ids sorted = names;
  std::ranges::sort(sorted);
  EXPECT_EQ(node_ids("the same"), sorted);
  for (const std::string& name : names) {
    ASSERT_TRUE(remove(one_node(name, "node of " + name)));
    ASSERT_TRUE(remove(one_node("the same", name)));
  }
  EXPECT_TRUE(list().empty());
}

TEST_P(RegistryConformance, TwoRegistriesShareTheirRecords) {
  const auto other = backend_->connect();
  const auto watcher = watch("greeter");
  ASSERT_TRUE(run(other->register_service(context_, one_node("greeter", "theirs"), {})));
  ASSERT_TRUE(add(one_node("greeter", "ours")));
  EXPECT_EQ(by_node(events(*watcher, 2)), (Seens{{Change::kCreate, "greeter", "ours"}, {Change::kCreate, "greeter", "theirs"}}));
  EXPECT_EQ(node_ids("greeter"), (Ids{"ours", "theirs"}));
  EXPECT_EQ(*run(other->get_service(context_, "greeter")), *get("greeter"));
  ASSERT_TRUE(run(other->deregister_service(context_, one_node("greeter", "theirs"))));
  EXPECT_EQ(events(*watcher, 1), (Seens{{Change::kDelete, "greeter", "theirs"}}));
  EXPECT_EQ(node_ids("greeter"), Ids{"ours"});
}

TEST_P(RegistryConformance, AnyRegistryMayDeregister) {
  if (const std::string why = backend_->why_own_nodes_only(); !why.empty()) GTEST_SKIP() << why;
  const auto other = backend_->connect();
  ASSERT_TRUE(add(one_node("greeter", "ours")));
  const auto watcher = watch("greeter");
  ASSERT_TRUE(run(other->deregister_service(context_, one_node("greeter", "ours"))));
  EXPECT_EQ(events(*watcher, 1), (Seens{{Change::kDelete, "greeter", "ours"}}));
  EXPECT_EQ(get("greeter").error().code(), Code::kNotFound);
}

TEST_P(RegistryConformance, FiftyNodes) {
  constexpr std::size_t kNodes = 50;
  const auto watcher = watch("greeter");
  Ids ids;
  Seens created;
  for (std::size_t i = 0; i < kNodes; ++i) {
    ids.push_back("greeter-" + std::to_string(10 + i));
    created.push_back({Change::kCreate, "greeter", ids.back()});
    ASSERT_TRUE(add(one_node("greeter", ids.back())));
  }
  EXPECT_EQ(node_ids("greeter"), ids);
  EXPECT_EQ(by_node(events(*watcher, kNodes)), created);
  for (const std::string& id : ids) ASSERT_TRUE(remove(one_node("greeter", id)));
  for (Seen& seen : created) seen.change = Change::kDelete;
  EXPECT_EQ(by_node(events(*watcher, kNodes)), created);
  EXPECT_EQ(get("greeter").error().code(), Code::kNotFound);
}

TEST_P(RegistryConformance, OtherLoopsMayChangeIt) {
  constexpr std::size_t kNodes = 20;
  const auto watcher = watch("greeter");
  std::thread other([&] {
    Loop loop;
    Context context;
    for (std::size_t i = 0; i < kNodes; ++i) {
      const Service service = one_node("greeter", "node-" + std::to_string(i));
      EXPECT_TRUE(block_on(loop, registry_->register_service(context, service, {})));
      EXPECT_TRUE(block_on(loop, registry_->deregister_service(context, service)));
      EXPECT_TRUE(block_on(loop, registry_->list_services(context)));
    }
    EXPECT_TRUE(block_on(loop, registry_->register_service(context, one_node("greeter", "last"), {})));
  });
  // Changes that undo each other may be seen as none, but never half of one: in the end there is what is there.
  std::set<std::string> open;
  while (open != std::set<std::string>{"last"}) {
    const auto next = events(*watcher, 1);
    if (next.empty()) break;
    const Seen& seen = next.front();
    EXPECT_TRUE(seen.change == Change::kCreate ? open.insert(seen.node).second : open.erase(seen.node) == 1)
        << testing::PrintToString(seen);
    (void)get("greeter");
  }
  other.join();
}

}  // namespace
}  // namespace micro::registry::conformance
