// Against dnsmasq, a DNS server that each test starts on a port of its own, changes, stops and makes hang.
#include <micro/dns/registry.hpp>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/dns/install.hpp>
#include <micro/plugin/plugins.hpp>
#include <micro/registry/cache.hpp>
#include <micro/testserver/server_process.hpp>

namespace micro::dns {
namespace {

using registry::Change;
using registry::Service;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testkit::ServerProcess;

class DnsTest : public testing::Test {
 protected:
  void SetUp() override {
    program_ = testkit::find_program("dnsmasq");
    if (!program_) GTEST_SKIP() << "no dnsmasq: apt-get install dnsmasq-base";
    context_.set_timeout(seconds(60));
  }

  // What the server knows from now on; it is started, or started anew.
  void serve(const std::string& records) {
    std::ofstream(directory_.path() + "/dns.conf") << "local=/test/\n" << records;
    if (server_ != nullptr) {
      server_->kill();
      ASSERT_TRUE(server_->restart());
    } else {
      auto started = ServerProcess::start({.command = {*program_, "--no-daemon", "--conf-file=" + directory_.path() + "/dns.conf",
                                                       "--port=" + std::to_string(port_), "--listen-address=127.0.0.1",
                                                       "--bind-interfaces", "--no-resolv", "--no-hosts", "--pid-file="}});
      ASSERT_TRUE(started) << started.error().to_string();
      server_ = std::move(*started);
    }
    const auto ready = server_->wait_until([&] { return testkit::accepts_connections(port_); });
    ASSERT_TRUE(ready) << ready.error().to_string();
  }

  Registry::Options options() const {
    Registry::Options options;
    options.servers = {"127.0.0.1:" + std::to_string(port_)};
    options.domain = "test";
    options.min_refresh = options.max_refresh = milliseconds(20);
    options.timeout = milliseconds(250);
    options.min_backoff = milliseconds(5);
    options.max_backoff = milliseconds(50);
    return options;
  }
  std::shared_ptr<Registry> open() { return Registry::make(options()).value(); }

  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }
  std::string get(Registry& registry, const std::string& name = "greeter") {
    const auto found = run(registry.get_service(context_, name));
    if (!found) return found.error().to_string();
    std::string text;
    for (const Service& service : *found) {
      for (const auto& node : service.nodes) text += (text.empty() ? "" : " ") + node.address;
    }
    return text;
  }
  // Asks until it is so: what was answered before holds for its time.
  std::string wait_for(Registry& registry, const std::string& wanted) {
    std::string got;
    do {
      got = get(registry);
    } while (!got.starts_with(wanted) && context_.remaining() > Duration::zero());
    return got;
  }
  std::unique_ptr<registry::Watcher> watch(Registry& registry, const std::string& service = "greeter") {
    const registry::WatchOptions options{.service = service};
    return run(registry.watch(context_, options)).value();
  }
  std::string next(registry::Watcher& watcher) {
    const auto event = run(watcher.next(context_));
    if (!event) return event.error().to_string();
    constexpr const char* kNames[] = {"+", "*", "-"};
    return kNames[static_cast<int>(event->change)] + event->service.nodes.at(0).address;
  }

  std::optional<std::string> program_;
  const testkit::TempDirectory directory_;
  const std::uint16_t port_ = testkit::free_port();
  std::unique_ptr<ServerProcess> server_;
  Loop loop_;
  Context context_;
};

constexpr const char* kTwoNodes =
    "srv-host=_grpc._tcp.greeter.test,one.test,8080,0,5\n"
    "srv-host=_grpc._tcp.greeter.test,two.test,9090,0,7\n"
    "srv-host=_grpc._tcp.greeter.test,backup.test,1,1,1\n"
    "host-record=one.test,10.0.0.1,60\n"
    "host-record=two.test,10.0.0.2,fd00::2,60\n"
    "host-record=backup.test,10.0.0.9,60\n";
constexpr const char* kOneNode =
    "srv-host=_grpc._tcp.greeter.test,one.test,8080,0,5\n"
    "host-record=one.test,10.0.0.1,60\n";

TEST_F(DnsTest, FindsServicesWithTheirPortsAndWeights) {
  serve(kTwoNodes);
  const auto registry = open();
  const auto found = run(registry->get_service(context_, "greeter"));
  ASSERT_TRUE(found) << found.error().to_string();
  const Service wanted{.name = "greeter",
                       .version = "latest",
                       .nodes = {{.id = "greeter-10.0.0.1:8080",
                                  .address = "10.0.0.1:8080",
                                  .metadata = {{"host", "one.test"}, {"priority", "0"}, {"weight", "5"}}},
                                 {.id = "greeter-10.0.0.2:9090",
                                  .address = "10.0.0.2:9090",
                                  .metadata = {{"host", "two.test"}, {"priority", "0"}, {"weight", "7"}}}}};
  EXPECT_EQ(*found, std::vector<Service>{wanted});
  EXPECT_EQ(run(registry->list_services(context_)).value(), std::vector<Service>{wanted});
}

TEST_F(DnsTest, HostsWithAFixedPort) {
  serve("host-record=greeter.test,10.0.0.1\nhost-record=greeter.test,10.0.0.2\nhost-record=six.test,fd00::6\n");
  Registry::Options with_port = options();
  with_port.port = 8080;
  const auto registry = Registry::make(with_port).value();
  EXPECT_EQ(get(*registry), "10.0.0.1:8080 10.0.0.2:8080");
  EXPECT_EQ(get(*registry, "six"), "[fd00::6]:8080");
  EXPECT_EQ(get(*registry, "six.test."), "[fd00::6]:8080") << "a name that ends with a dot is whole";
  EXPECT_EQ(run(registry->get_service(context_, "six"))->at(0).nodes.at(0).metadata,
            (registry::Properties{{"host", "six.test"}}));
}

TEST_F(DnsTest, AnswersThatNeedTcp) {
  std::string records;
  std::string wanted;
  for (int i = 10; i < 60; ++i) {
    const std::string host = "a-name-that-fills-the-message-" + std::to_string(i) + ".test";
    records +=
        "srv-host=_grpc._tcp.greeter.test," + host + ",80,0,1\nhost-record=" + host + ",10.0.0." + std::to_string(i) + "\n";
    wanted += (wanted.empty() ? "" : " ") + ("10.0.0." + std::to_string(i)) + ":80";
  }
  serve(records);
  EXPECT_EQ(get(*open()), wanted);
}

TEST_F(DnsTest, NoSuchNameIsNotFoundAndSaysWhereItLooked) {
  serve(kOneNode);
  const auto registry = open();
  EXPECT_THAT(
      get(*registry, "nobody"),
      HasSubstr("NOT_FOUND [NO_NODE]: no node of service \"nobody\" in dns registry of _grpc._tcp.<service>.test at 127.0.0.1:"));
  EXPECT_THAT(get(*registry, std::string(300, 'x')), HasSubstr("NOT_FOUND"));
  EXPECT_THAT(get(*registry, "a..b"), HasSubstr("NOT_FOUND"));
  EXPECT_EQ(run(registry->get_service(context_, "")).error().code(), Code::kInvalidArgument);
}

TEST_F(DnsTest, AServiceWhoseHostsAreGoneHasNoNodes) {
  serve("srv-host=_grpc._tcp.greeter.test,gone.test,8080\n");
  EXPECT_THAT(get(*open()), HasSubstr("NOT_FOUND"));
}

TEST_F(DnsTest, IsReadOnly) {
  const auto registry = open();
  const Service service{.name = "mine", .nodes = {{.id = "mine-1", .address = "10.0.0.1:80"}}};
  EXPECT_EQ(run(registry->register_service(context_, service, {})).error().reason(), registry::kReadOnly);
  EXPECT_EQ(run(registry->deregister_service(context_, service)).error().reason(), registry::kReadOnly);
}

TEST_F(DnsTest, WithoutAServerItIsUnavailable) {
  const auto registry = open();
  for (const std::string& text : {get(*registry), run(registry->watch(context_, {.service = "greeter"})).error().to_string()}) {
    EXPECT_THAT(text,
                AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("_grpc._tcp.greeter.test at 127.0.0.1:" + std::to_string(port_))));
  }
}

TEST_F(DnsTest, WatchersLearnOfChangesAlsoToNothing) {
  serve(kTwoNodes);
  const auto registry = open();
  const auto watcher = watch(*registry);
  const auto all = watch(*registry, "");
  serve(kOneNode);
  // A server that is just starting may refuse once, which is told, too.
  std::string told = next(*watcher);
  if (told != "-10.0.0.2:9090") {
    EXPECT_THAT(told, HasSubstr("UNAVAILABLE"));
  }
  EXPECT_EQ(next(*all), "-10.0.0.2:9090");
  const auto again = watch(*registry);
  serve("");
  EXPECT_EQ(next(*all), "-10.0.0.1:8080");
  EXPECT_THAT(wait_for(*registry, "NOT_FOUND"), HasSubstr("NO_NODE"));
}

TEST_F(DnsTest, AnOutageTakesNothingAwayAndIsToldOnce) {
  serve(kTwoNodes);
  const auto registry = open();
  const auto watcher = watch(*registry);
  server_->kill();
  EXPECT_THAT(next(*watcher), AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("the last list stays")));
  EXPECT_EQ(get(*registry), "10.0.0.1:8080 10.0.0.2:9090");
  const auto next_watcher = watch(*registry);
  EXPECT_EQ(get(*registry), "10.0.0.1:8080 10.0.0.2:9090");
  serve(kOneNode);
  EXPECT_EQ(next(*next_watcher), "-10.0.0.2:9090");
  EXPECT_EQ(get(*registry), "10.0.0.1:8080");
}

TEST_F(DnsTest, AServerThatHangsTakesNothingAway) {
  serve(kOneNode);
  const auto registry = open();
  const auto watcher = watch(*registry);
  server_->pause();
  EXPECT_THAT(next(*watcher), HasSubstr("UNAVAILABLE"));
  EXPECT_EQ(get(*registry), "10.0.0.1:8080");
  server_->resume();
  serve(kTwoNodes);
  EXPECT_EQ(wait_for(*registry, "10.0.0.1:8080 10.0.0.2:9090"), "10.0.0.1:8080 10.0.0.2:9090");
}

TEST_F(DnsTest, WhoAsksMayGiveUp) {
  serve(kOneNode);
  server_->pause();
  const auto registry = open();
  Context impatient(context_);
  impatient.set_timeout(milliseconds(1));
  EXPECT_EQ(run(registry->get_service(impatient, "greeter")).error().code(), Code::kDeadlineExceeded);
}

TEST_F(DnsTest, ClosingEndsWhatIsUnderWay) {
  serve(kOneNode);
  auto registry = open();
  const auto watcher = watch(*registry);
  server_->pause();
  registry.reset();
  EXPECT_THAT(next(*watcher), HasSubstr("UNAVAILABLE"));
}

// What clients see of it.
TEST_F(DnsTest, ACacheFollowsChangesAndOutlivesOutages) {
  serve(kOneNode);
  struct Outages final : registry::CacheObserver {
    void on_change(const registry::Event&) override {}
    void on_error(std::string_view, const Error&, Duration) override { ++count; }
    int count = 0;
  } outages;
  registry::Cache cache(open(), {.min_backoff = milliseconds(1), .observer = &outages});
  cache.start(loop_);
  ASSERT_TRUE(run(cache.lookup(context_, "greeter")));
  registry::Cache::View view(cache);
  const auto wait_for_nodes = [&](std::size_t count) {
    while (view.get("greeter")->candidates.size() != count && context_.remaining() > Duration::zero())
      loop_.run_once(milliseconds(10));
    return view.get("greeter")->candidates.size();
  };
  EXPECT_EQ(wait_for_nodes(1), 1u);
  serve(kTwoNodes);
  EXPECT_EQ(wait_for_nodes(2), 2u);
  server_->kill();
  const int before = outages.count;
  while (outages.count == before && context_.remaining() > Duration::zero()) loop_.run_once(milliseconds(10));
  EXPECT_EQ(view.get("greeter")->candidates.size(), 2u);
  serve(kOneNode);
  EXPECT_EQ(wait_for_nodes(1), 1u);
  block_on(loop_, cache.stop());
}

TEST(DnsOptions, AreGivenByName) {
  Plugins plugins;
  install(plugins);
  const auto describe = [&](const std::string& address) {
    const auto made = plugins.make_registry("dns", {.address = address});
    return made ? (*made)->describe() : made.error().to_string();
  };
  EXPECT_EQ(describe(""), "dns registry of _grpc._tcp.<service>");
  EXPECT_EQ(describe("domain=example.org,server=10.0.0.2:53,server=[fd00::2]:53"),
            "dns registry of _grpc._tcp.<service>.example.org at 10.0.0.2:53, [fd00::2]:53");
  EXPECT_EQ(describe("prefix=,domain=example.org"), "dns registry of <service>.example.org");
  EXPECT_EQ(describe("domain=default.svc.cluster.local,port=8080"),
            "dns registry of <service>.default.svc.cluster.local with port 8080");
  EXPECT_THAT(describe("domain=a,example.org"), HasSubstr("at position 9: \"example.org\" is no key=value"));
  EXPECT_THAT(describe("domain=a,color=red"), HasSubstr("at position 9: \"color\" is none of domain, prefix, port, server"));
  EXPECT_THAT(describe("port=0"), HasSubstr("at position 0: \"0\" is no port"));
  EXPECT_THAT(describe("server=nonsense"), AllOf(HasSubstr("INVALID_ARGUMENT"), HasSubstr("nonsense")));
  EXPECT_EQ(plugins.make_registry("dns", {.layout = "kratos"}).error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace micro::dns
