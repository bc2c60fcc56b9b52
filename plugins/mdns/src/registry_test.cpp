// What others see and hear of a registry, and what it makes of them: the tests play a go-micro program on the same group.
#include <micro/mdns/registry.hpp>

#include <algorithm>
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/deadline.hpp>
#include <micro/mdns/install.hpp>
#include <micro/plugin/plugins.hpp>
#include <micro/registry/conformance.hpp>

#include "node_record.hpp"
#include "test_network.hpp"

namespace micro::mdns {
namespace {

using registry::Change;
using registry::Service;
using registry::conformance::ManualTime;
using registry::conformance::one_node;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

const Name kDomain{"micro"};

class MdnsRegistry : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_multicast(); !why.empty()) GTEST_SKIP() << "no multicast here: " << why;
    context_.set_timeout(seconds(30));
    auto shared = net::DatagramSocket::bind(loop_, Address{.host = "0.0.0.0", .port = options_.port, .unix_path = {}},
                                            {.share_port = true});
    auto own = net::DatagramSocket::bind(loop_, Address{.host = "0.0.0.0", .port = 0, .unix_path = {}}, {});
    ASSERT_TRUE(shared && own);
    group_ = std::move(*shared);
    own_ = std::move(*own);
    for (const auto& interface : net::multicast_interfaces()) (void)group_->join(options_.group_four, interface.index);
    registry_ = std::make_unique<Registry>(options_);
  }

  static Registry::Options make_options() {
    Registry::Options options = options_of_test();
    options.poll_interval = milliseconds(20);
    return options;
  }

  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }
  Result<void> add(const Service& service, Duration ttl = std::chrono::hours(1)) {
    const registry::RegisterOptions options{.ttl = ttl};
    return run(registry_->register_service(context_, service, options));
  }
  std::string get(const std::string& name) {
    const auto found = run(registry_->get_service(context_, name));
    if (!found) return found.error().to_string();
    std::string text;
    for (const Service& service : *found) {
      for (const auto& node : service.nodes) text += (text.empty() ? "" : " ") + node.id + "@" + node.address;
    }
    return text;
  }
  std::unique_ptr<registry::Watcher> watch(const std::string& service = {}) {
    const registry::WatchOptions options{.service = service};
    return run(registry_->watch(context_, options)).value();
  }
  std::string next(registry::Watcher& watcher) {
    const auto event = run(watcher.next(context_));
    if (!event) return event.error().to_string();
    constexpr const char* kNames[] = {"+", "*", "-"};
    const auto& node = event->service.nodes.at(0);
    return kNames[static_cast<int>(event->change)] + node.id + "@" + node.address;
  }

  // The other program.
  void say(net::DatagramSocket& socket, const Message& message) {
    const std::string bytes = encode(message, false).value();
    const Address to{.host = options_.group_four, .port = options_.port, .unix_path = {}};
    bool sent = false;
    for (const auto& interface : net::multicast_interfaces()) sent |= socket.send(bytes, to, interface.index).has_value();
    ASSERT_TRUE(sent);
  }
  void ask(const Name& name, Type type = Type::kPtr, std::uint16_t cls = kInternet, std::uint16_t id = 77) {
    say(*own_, {.id = id, .questions = {{.name = name, .type = type, .cls = cls}}});
  }
  void announce(const Service& service, std::uint32_t ttl = kRecordTtl) {
    const Published node = publish(service, kDomain, {"elsewhere"}).value();
    say(*own_, {.flags = kResponse, .answers = instance_records(node, kDomain, {"elsewhere"}, ttl)});
  }
  // The next message on a socket that `wanted` likes.
  template <class Wanted>
  Message hear(net::DatagramSocket& socket, Wanted wanted) {
    Timer give_up;
    give_up.set(loop_, Clock::now() + seconds(20), [](void* s) { static_cast<net::DatagramSocket*>(s)->close(); }, &socket);
    std::vector<char> buffer(65536);
    for (;;) {
      const auto datagram = block_on(loop_, socket.receive(buffer));
      if (!datagram) {
        ADD_FAILURE() << "nothing came: " << datagram.error().to_string();
        return {};
      }
      auto message = decode(datagram->bytes);
      if (message && wanted(*message)) {
        from_ = datagram->from;
        return *message;
      }
    }
  }
  Message hear_announcement(std::uint32_t ttl) {
    return hear(*group_, [&](const Message& m) { return m.is_response() && !m.answers.empty() && m.answers[0].ttl == ttl; });
  }
  Message hear_answer() {
    return hear(*own_, [](const Message& m) { return m.is_response(); });
  }

  const Registry::Options options_ = make_options();
  Loop loop_;
  Context context_;
  std::unique_ptr<net::DatagramSocket> group_;
  std::unique_ptr<net::DatagramSocket> own_;
  std::unique_ptr<Registry> registry_;
  Address from_;
};

TEST_F(MdnsRegistry, AnswersTheOneWhoAsksWithTheQuestionInTheAnswer) {
  ASSERT_TRUE(add(one_node("greeter", "greeter-1")));
  ask({"greeter", "micro"});
  const Message answer = hear_answer();
  EXPECT_EQ(answer.id, 0);
  EXPECT_EQ(answer.flags, 0x8400);
  EXPECT_THAT(answer.questions, ElementsAre(Question{.name = {"greeter", "micro"}}));
  std::vector<Type> types;
  for (const Record& record : answer.answers) types.push_back(record.type);
  EXPECT_THAT(types, ElementsAre(Type::kPtr, Type::kSrv, Type::kA, Type::kTxt));
  EXPECT_EQ(heard_nodes(answer, kDomain).at(0).record, one_node("greeter", "greeter-1"));
  EXPECT_EQ(from_.port, options_.port);
  ask({"greeter", "micro"}, Type::kPtr, kInternet | kUnicastWanted);
  EXPECT_EQ(hear(*own_, [](const Message& m) { return m.id != 0; }).id, 77) << "with the bit for unicast, the id comes back";
}

TEST_F(MdnsRegistry, EveryNodeIsAMessageOfItsOwn) {
  Service both = one_node("greeter", "one");
  both.nodes.push_back({.id = "two", .address = "10.0.0.2:80"});
  ASSERT_TRUE(add(both));
  ask({"greeter", "micro"});
  std::set<std::string> ids;
  while (ids.size() < 2 && !HasFailure()) {
    const auto nodes = heard_nodes(hear_answer(), kDomain);
    ASSERT_EQ(nodes.size(), 1u);
    ids.insert(nodes[0].record.nodes[0].id);
  }
  EXPECT_THAT(ids, ElementsAre("one", "two"));
}

TEST_F(MdnsRegistry, AnswersForInstancesAndListsItsServices) {
  ASSERT_TRUE(add(one_node("greeter", "greeter-1")));
  ask({"greeter-1", "greeter", "micro"}, Type::kAny);
  EXPECT_EQ(hear_answer().answers.at(0).type, Type::kSrv);
  ask({"_services", "micro"});
  const auto listing = hear(*own_, [&](const Message& m) { return !heard_services(m, kDomain).empty(); });
  EXPECT_THAT(heard_services(listing, kDomain), ElementsAre(Name{"greeter"}));
  ask({"_services", "_dns-sd", "_udp", "micro"});
  const auto types = hear(*own_, [](const Message& m) { return m.answers.size() == 1; });
  EXPECT_EQ(types.answers[0].target, (Name{"greeter", "micro"}));
}

TEST_F(MdnsRegistry, SaysWhenANodeComesChangesAndLeaves) {
  ASSERT_TRUE(add(one_node("greeter", "greeter-1")));
  const Message come = hear_announcement(kRecordTtl);
  EXPECT_EQ(come.flags, 0x8000);
  EXPECT_TRUE(come.questions.empty());
  EXPECT_EQ(heard_nodes(come, kDomain).at(0).record, one_node("greeter", "greeter-1"));

  const Service moved = one_node("greeter", "greeter-1", "v2", "10.0.0.9:90");
  ASSERT_TRUE(add(moved));
  const Message changed = hear(*group_, [&](const Message& m) {
    const auto nodes = heard_nodes(m, kDomain);
    return !nodes.empty() && nodes[0].record == moved;
  });
  EXPECT_FALSE(changed.answers.empty());

  ASSERT_TRUE(run(registry_->deregister_service(context_, moved)));
  EXPECT_TRUE(heard_nodes(hear_announcement(0), kDomain).at(0).leaving);
}

TEST_F(MdnsRegistry, AnnouncesThreeTimes) {
  ASSERT_TRUE(add(one_node("greeter", "greeter-1")));
  // By each interface one; more than two each is the third time.
  const auto interfaces = static_cast<std::size_t>(
      std::ranges::count_if(net::multicast_interfaces(), [](const net::MulticastInterface& each) { return each.four; }));
  for (std::size_t i = 0; i < interfaces * 2 + 1; ++i) hear_announcement(kRecordTtl);
}

TEST_F(MdnsRegistry, SaysThatItsNodesLeaveWhenItEnds) {
  ASSERT_TRUE(add(one_node("greeter", "greeter-1")));
  const auto watcher = watch();
  registry_.reset();
  EXPECT_TRUE(heard_nodes(hear_announcement(0), kDomain).at(0).leaving);
  EXPECT_EQ(next(*watcher), "-greeter-1@10.0.0.1:80");
  EXPECT_THAT(next(*watcher), HasSubstr("UNAVAILABLE: the mdns registry was closed"));
}

TEST_F(MdnsRegistry, WatchersHearOthersComeChangeAndLeave) {
  const auto watcher = watch("greeter");
  announce(one_node("other", "other-1"));
  announce(one_node("greeter", "theirs"));
  EXPECT_EQ(next(*watcher), "+theirs@10.0.0.1:80");
  announce(one_node("greeter", "theirs"));
  announce(one_node("greeter", "theirs", "v1", "10.0.0.9:90"));
  EXPECT_EQ(next(*watcher), "*theirs@10.0.0.9:90");
  announce(one_node("greeter", "theirs", "v1", "10.0.0.9:90"), 0);
  EXPECT_EQ(next(*watcher), "-theirs@10.0.0.9:90");
  announce(one_node("greeter", "theirs"));
  EXPECT_EQ(next(*watcher), "+theirs@10.0.0.1:80") << "it may come back at once";
}

TEST_F(MdnsRegistry, OneThatAnswersNoMoreHasLeft) {
  const auto watcher = watch("greeter");
  announce(one_node("greeter", "crashed"));
  EXPECT_EQ(next(*watcher), "+crashed@10.0.0.1:80");
  EXPECT_EQ(next(*watcher), "-crashed@10.0.0.1:80");
}

TEST_F(MdnsRegistry, FindsTheNodesOfOtherRegistries) {
  Registry other(options_);
  ASSERT_TRUE(run(other.register_service(context_, one_node("greeter", "theirs"), {})));
  ASSERT_TRUE(add(one_node("greeter", "ours")));
  EXPECT_EQ(get("greeter"), "ours@10.0.0.1:80 theirs@10.0.0.1:80");
  const auto listed = run(other.list_services(context_));
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->at(0).nodes.size(), 2u);
}

TEST_F(MdnsRegistry, NobodyHereIsNotFoundAndSaysWhereItAsked) {
  EXPECT_THAT(get("nobody"),
              HasSubstr("NOT_FOUND [NO_NODE]: no node of service \"nobody\" in mdns registry of the domain micro on " +
                        options_.group_four + ", port " + std::to_string(options_.port)));
  EXPECT_THAT(get(std::string(300, 'x')), HasSubstr("NOT_FOUND"));
}

TEST_F(MdnsRegistry, NonsenseOnTheGroupDoesNoHarm) {
  ASSERT_TRUE(add(one_node("greeter", "greeter-1")));
  const Address to{.host = options_.group_four, .port = options_.port, .unix_path = {}};
  const auto interfaces = net::multicast_interfaces();
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(2000, '\xFF'), std::string(12, '\0')}) {
    for (const auto& interface : interfaces) (void)own_->send(bytes, to, interface.index);
  }
  say(*own_, {.flags = 0x7800, .questions = {{.name = {"greeter", "micro"}}}});  // another operation
  ask({"greeter", "micro"}, Type::kPtr, kInternet | kUnicastWanted, 5);
  EXPECT_EQ(hear_answer().id, 5);
}

TEST(MdnsOptions, AMachineWithoutAGroupIsUnavailable) {
  Registry::Options options = options_of_test();
  options.group_four.clear();
  Registry registry(options);
  Loop loop;
  Context context;
  const auto refused = block_on(loop, registry.list_services(context));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_THAT(refused.error().message(), HasSubstr("no group is set"));
}

TEST(MdnsOptions, IsInstalledByName) {
  Plugins plugins;
  install(plugins);
  EXPECT_EQ(plugins.make_registry("mdns", {}).value()->describe(),
            "mdns registry of the domain micro on 224.0.0.251 and ff02::fb, port 5353");
  EXPECT_EQ(plugins.make_registry("mdns", {.address = "239.255.0.1:5454"}).value()->describe(),
            "mdns registry of the domain micro on 239.255.0.1, port 5454");
  EXPECT_EQ(plugins.make_registry("mdns", {.address = "[ff02::99]:5454"}).value()->describe(),
            "mdns registry of the domain micro on ff02::99, port 5454");
  for (const char* wrong : {"239.255.0.1", ":5454", "239.255.0.1:0"}) {
    EXPECT_EQ(plugins.make_registry("mdns", {.address = wrong}).error().code(), Code::kInvalidArgument) << wrong;
  }
  EXPECT_EQ(plugins.make_registry("mdns", {.layout = "kratos"}).error().code(), Code::kInvalidArgument);
}

// On the group and port of all others: nothing but that it works, as nobody knows who else is there.
TEST(MdnsRealGroup, TwoRegistriesFindEachOther) {
  if (const std::string why = why_no_multicast(); !why.empty()) GTEST_SKIP() << "no multicast here: " << why;
  Loop loop;
  Context context;
  context.set_timeout(seconds(30));
  Registry one;
  Registry other;
  const std::string name = "micro-test-" + std::to_string(::getpid());
  const auto added = block_on(loop, one.register_service(context, one_node(name, name + "-1"), {}));
  if (!added) GTEST_SKIP() << "port 5353 cannot be shared here: " << added.error().to_string();
  auto found = block_on(loop, other.get_service(context, name));
  for (int tries = 0; !found && tries < 20; ++tries) found = block_on(loop, other.get_service(context, name));
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(*found, std::vector<Service>{one_node(name, name + "-1")});
}

}  // namespace
}  // namespace micro::mdns
