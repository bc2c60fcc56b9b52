// The order of starting, and what is left behind when a start fails: nothing.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service_fixture.hpp"

namespace micro {
namespace {

using test::at;
using test::call;
using test::Echo;
using test::FakeRegistry;
using test::listed;
using test::quiet;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Steps = std::vector<std::string>;

// Writes down when it was called and whether the service was in the registry at that time.
class Recorder final : public Hook {
 public:
  Recorder(std::string name, Steps& steps, registry::Registry& registry, std::string failing = {})
      : name_(std::move(name)), steps_(steps), registry_(registry), failing_(std::move(failing)) {}
  Task<Result<void>> before_start() override { return step("before_start"); }
  Task<Result<void>> after_start() override { return step("after_start"); }
  Task<Result<void>> before_stop() override { return step("before_stop"); }
  Task<Result<void>> after_stop() override { return step("after_stop"); }

 private:
  Task<Result<void>> step(std::string what) {
    Context context;
    const auto found = co_await registry_.get_service(context, "echo");
    steps_.push_back(name_ + " " + what + (found ? " registered" : ""));
    if (what == failing_) co_return fail(failed_precondition("no database"));
    co_return Result<void>{};
  }

  const std::string name_;
  Steps& steps_;
  registry::Registry& registry_;
  const std::string failing_;
};

// A second service on the same port tells whether the first one has let go of it.
void expect_port_is_free(const std::string& address) {
  ServiceOptions options = quiet("other", std::make_shared<registry::Memory>());
  options.address = address;
  Service other(options);
  const Result<void> started = other.start();
  EXPECT_TRUE(started) << started.error().message();
}

// A port that was free a moment ago.
std::string free_address() {
  Service probe(quiet("probe", std::make_shared<registry::Memory>()));
  EXPECT_TRUE(probe.start());
  return probe.address();
}

TEST(ServiceStart, HooksRunInOrderAndBackwards) {
  const auto registry = std::make_shared<registry::Memory>();
  Steps steps;
  Service service(quiet("echo", registry));
  service.handle(std::make_shared<Echo>());
  service.add(std::make_shared<Recorder>("a", steps, *registry));
  service.add(std::make_shared<Recorder>("b", steps, *registry));
  ASSERT_TRUE(service.start());
  EXPECT_THAT(steps, ElementsAre("a before_start", "b before_start", "a after_start registered", "b after_start registered"));
  steps.clear();
  service.stop();
  EXPECT_THAT(steps, ElementsAre("b before_stop registered", "a before_stop registered", "b after_stop", "a after_stop"));
}

TEST(ServiceStart, ErrorsOfStoppingHooksDoNotHoldUpTheStop) {
  const auto registry = std::make_shared<registry::Memory>();
  Steps steps;
  Service service(quiet("echo", registry));
  service.add(std::make_shared<Recorder>("a", steps, *registry, "before_stop"));
  service.add(std::make_shared<Recorder>("b", steps, *registry, "after_stop"));
  ASSERT_TRUE(service.start());
  steps.clear();
  service.stop();
  EXPECT_THAT(steps, SizeIs(4));
}

TEST(ServiceStart, FailsWhenThePortIsTaken) {
  const auto registry = std::make_shared<registry::Memory>();
  Service first(quiet("first", registry));
  first.handle(std::make_shared<Echo>());
  ASSERT_TRUE(first.start());
  Steps steps;
  ServiceOptions options = quiet("echo", registry);
  options.address = first.address();
  options.loops = 2;
  Service second(options);
  second.handle(std::make_shared<Echo>());
  second.add(std::make_shared<Recorder>("a", steps, *registry));
  const Result<void> started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), Code::kAlreadyExists);
  EXPECT_THAT(started.error().message(), AllOf(HasSubstr(first.address()), HasSubstr("address already in use")));
  EXPECT_THAT(steps, IsEmpty());
  EXPECT_THAT(listed(first, *registry), ElementsAre("first@latest " + first.address()));
  EXPECT_EQ(call(first, "first", "Say", "x"), "you said x") << "the other one is not disturbed";

  first.stop();
  ASSERT_TRUE(second.start()) << "and it can be tried again";
  EXPECT_EQ(call(second, "echo", "Say", "y"), "you said y");
}

TEST(ServiceStart, FailsWithAHookAndUndoesThoseBefore) {
  const auto registry = std::make_shared<registry::Memory>();
  Steps steps;
  ServiceOptions options = quiet("echo", registry);
  options.address = free_address();
  Service service(options);
  service.add(std::make_shared<Recorder>("a", steps, *registry));
  service.add(std::make_shared<Recorder>("b", steps, *registry, "before_start"));
  service.add(std::make_shared<Recorder>("c", steps, *registry));
  const Result<void> started = service.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message(), "no database");
  EXPECT_THAT(steps, ElementsAre("a before_start", "b before_start", "a before_stop", "a after_stop"));
  expect_port_is_free(options.address);
}

TEST(ServiceStart, FailsWithAHookAfterRegistrationAndLeavesTheRegistry) {
  const auto registry = std::make_shared<FakeRegistry>();
  Steps steps;
  ServiceOptions options = quiet("echo", registry);
  options.address = free_address();
  Service service(options);
  service.add(std::make_shared<Recorder>("a", steps, *registry, "after_start"));
  ASSERT_FALSE(service.start());
  EXPECT_THAT(steps, ElementsAre("a before_start", "a after_start registered", "a before_stop registered", "a after_stop"));
  EXPECT_EQ(registry->deregistered.get(), 1);
  expect_port_is_free(options.address);
}

TEST(ServiceStart, FailsWhenTheRegistryIsDown) {
  const auto registry = std::make_shared<FakeRegistry>();
  registry->down = true;
  Steps steps;
  ServiceOptions options = quiet("echo", registry);
  options.address = free_address();
  Service service(options);
  service.handle(std::make_shared<Echo>());
  service.add(std::make_shared<Recorder>("a", steps, *registry));
  const Result<void> started = service.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(), unavailable("cannot register echo in the fake registry: fake registry is down"));
  EXPECT_THAT(steps, ElementsAre("a before_start", "a before_stop", "a after_stop"));
  EXPECT_EQ(registry->deregistered.get(), 0) << "what was never registered is not taken out";
  expect_port_is_free(options.address);

  registry->down = false;
  ASSERT_TRUE(service.start());
  EXPECT_EQ(call(service, "echo", "Say", "x"), "you said x");
}

TEST(ServiceStart, FailsWhileItRuns) {
  Service service(quiet("echo", std::make_shared<registry::Memory>()));
  service.handle(std::make_shared<Echo>());
  ASSERT_TRUE(service.start());
  const Result<void> again = service.start();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), failed_precondition("the service runs already"));
  EXPECT_EQ(call(service, "echo", "Say", "x", at(service)), "you said x");
}

TEST(ServiceStart, FailsWhenAMethodIsHandledTwice) {
  Service service(quiet("echo", std::make_shared<registry::Memory>()));
  service.handle(std::make_shared<Echo>());
  service.handle(std::make_shared<Echo>());
  const Result<void> started = service.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message(), AllOf(HasSubstr("/test.Echo/Say"), HasSubstr("has a handler already")));
}

TEST(ServiceStart, TellsAllFaultsOfTheOptionsAtOnce) {
  ServiceOptions options;
  options.name = "no good";
  options.address = "nowhere";
  options.advertise = ":0";
  options.registry_name = "zookeper";
  options.register_interval = options.register_ttl;
  Service service(options);
  const Result<void> started = service.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(started.error().message(),
              AllOf(HasSubstr("5 faults:\n"), HasSubstr("--name \"no good\": a service needs a name of letters"),
                    HasSubstr("--address: cannot parse address \"nowhere\": the port is missing"),
                    HasSubstr("--advertise :0: others need a host and a port"), HasSubstr("zookeper"), HasSubstr("local, memory"),
                    HasSubstr("--register_ttl must be longer than --register_interval")));
}

struct FaultCase {
  const char* name;
  void (*spoil)(ServiceOptions&);
  const char* text;
};

class ServiceFaultTest : public testing::TestWithParam<FaultCase> {};

TEST_P(ServiceFaultTest, IsTold) {
  ServiceOptions options = quiet("echo", nullptr);
  options.registry_name = "memory";
  GetParam().spoil(options);
  Service service(options);
  const Result<void> started = service.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(started.error().message(), AllOf(HasSubstr(GetParam().text), testing::Not(HasSubstr("faults"))));
}

INSTANTIATE_TEST_SUITE_P(
    Options, ServiceFaultTest,
    testing::Values(
        FaultCase{"name", [](ServiceOptions& o) { o.name.clear(); }, "--name \"\": a service needs a name"},
        FaultCase{"address", [](ServiceOptions& o) { o.address = "localhost:http"; }, "the port \"http\" is not a number"},
        FaultCase{"advertise", [](ServiceOptions& o) { o.advertise = "x"; }, "--advertise: cannot parse address \"x\""},
        FaultCase{"registry", [](ServiceOptions& o) { o.registry_name = "etcd3"; }, "\"etcd3\""},
        FaultCase{"ttl", [](ServiceOptions& o) { o.register_ttl = Duration{}; }, "--register_ttl must be longer"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace micro
