// A node stays in the registry whatever happens to the registry.
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>

#include "registration.hpp"
#include "service_fixture.hpp"

namespace micro {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using test::call;
using test::Echo;
using test::FakeRegistry;
using test::listed;
using test::quiet;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

class RegistrationTest : public testing::Test {
 protected:
  RegistrationTest() : service_(options(registry_)) { service_.handle(std::make_shared<Echo>()); }

  static ServiceOptions options(std::shared_ptr<FakeRegistry> registry) {
    ServiceOptions options = quiet("echo", std::move(registry));
    options.register_interval = milliseconds(1);
    options.register_ttl = hours(1);
    options.log.level = log::Level::kInfo;
    return options;
  }
  std::string node() const { return "echo@latest " + service_.address(); }
  // Two more: the first may have been under way.
  void wait_for_renewal() { registry_->registered.wait_for(registry_->registered.get() + 2); }

  std::shared_ptr<FakeRegistry> registry_ = std::make_shared<FakeRegistry>();
  Service service_;
};

// Fit for the registry or not, and who came and went.
class Watchful final : public Hook {
 public:
  Task<Result<void>> register_check(Context& context) override {
    EXPECT_TRUE(context.deadline());
    checks.add();
    if (!fit) co_return fail(unavailable("the database is away"));
    co_return Result<void>{};
  }
  void node_joined(const std::string& service, const registry::Node& node) override { add("+" + service + " " + node.address); }
  void node_left(const std::string& service, const registry::Node& node) override { add("-" + service + " " + node.address); }

  std::vector<std::string> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  std::atomic<bool> fit = true;
  test::Count checks;
  test::Count changes;

 private:
  void add(std::string line) {
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(std::move(line));
    }
    changes.add();
  }
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
};

TEST_F(RegistrationTest, IsRenewed) {
  ASSERT_TRUE(service_.start());
  for (int i = 0; i < 3; ++i) wait_for_renewal();
  EXPECT_THAT(listed(service_, *registry_), ElementsAre(node())) << "the same node, not one more";
}

TEST_F(RegistrationTest, HealsWhenTheRegistryForgets) {
  ASSERT_TRUE(service_.start());
  service_.run_on_loop(registry_->forget_all());
  wait_for_renewal();
  EXPECT_THAT(listed(service_, *registry_), ElementsAre(node()));
  EXPECT_EQ(call(service_, "echo", "Say", "x"), "you said x");
}

TEST_F(RegistrationTest, HealsAfterAnOutageAndSaysSoOnce) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(service_.start());
  EXPECT_EQ(call(service_, "echo", "Say", "x"), "you said x");
  registry_->down = true;
  registry_->refused.wait_for(registry_->refused.get() + 3);
  EXPECT_EQ(call(service_, "echo", "Say", "y"), "you said y") << "the last good list goes on being served";
  service_.run_on_loop(registry_->forget_all());
  registry_->down = false;
  wait_for_renewal();
  EXPECT_THAT(listed(service_, *registry_), ElementsAre(node()));
  service_.stop();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(log, "cannot renew the registration; trying again"), 1u) << log;
  EXPECT_EQ(count(log, "registered again"), 1u) << log;
  EXPECT_THAT(log, AllOf(HasSubstr("fake registry"), HasSubstr("fake registry is down")));
}

TEST_F(RegistrationTest, ARegistryThatCannotBeWrittenIsNoFailureAndIsToldOnce) {
  testing::internal::CaptureStderr();
  registry_->read_only = true;
  ASSERT_TRUE(service_.start());
  EXPECT_EQ(registry_->refused.get(), 1);
  service_.stop();
  EXPECT_EQ(registry_->deregistered.get(), 0);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(log, "not registered: the registry is read-only"), 1u) << log;
  EXPECT_EQ(count(log, "registered echo at"), 0u) << log;
}

TEST_F(RegistrationTest, SomeOfSeveralRegistriesAreEnoughAndTheOthersAreTriedAgain) {
  testing::internal::CaptureStderr();
  registry_->partly = true;
  ASSERT_TRUE(service_.start());
  EXPECT_THAT(listed(service_, *registry_), ElementsAre(node()));
  registry_->refused.wait_for(3);
  registry_->partly = false;
  wait_for_renewal();
  service_.stop();
  EXPECT_EQ(registry_->deregistered.get(), 1);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(log, "registered in some registries only; trying the others again"), 1u) << log;
  EXPECT_EQ(count(log, "half of it is down"), 1u) << log;
  EXPECT_EQ(count(log, "registered again"), 1u) << log;
}

TEST_F(RegistrationTest, EndsWithTheService) {
  ASSERT_TRUE(service_.start());
  wait_for_renewal();
  service_.stop();
  const int registered = registry_->registered.get();
  EXPECT_EQ(registry_->deregistered.get(), 1);
  ASSERT_TRUE(service_.start());
  EXPECT_THAT(listed(service_, *registry_), ElementsAre(node())) << "no ghost of the first life";
  EXPECT_GT(registry_->registered.get(), registered);
}

TEST_F(RegistrationTest, AFailingCheckTakesTheNodeOut) {
  const auto hook = std::make_shared<Watchful>();
  service_.add(hook);
  testing::internal::CaptureStderr();
  ASSERT_TRUE(service_.start());
  EXPECT_THAT(listed(service_, *registry_), ElementsAre(node()));
  hook->fit = false;
  registry_->deregistered.wait_for(1);
  EXPECT_THAT(listed(service_, *registry_), ElementsAre());
  EXPECT_EQ(call(service_, "test.Echo", "Say", "x", test::at(service_)), "you said x") << "those who know it may still call it";
  const int registered = registry_->registered.get();
  hook->checks.wait_for(hook->checks.get() + 5);
  EXPECT_EQ(registry_->registered.get(), registered);
  EXPECT_EQ(registry_->deregistered.get(), 1) << "once is enough";
  hook->fit = true;
  wait_for_renewal();
  EXPECT_THAT(listed(service_, *registry_), ElementsAre(node()));
  service_.stop();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(log, "the register check fails: not in the registry until it passes"), 1u) << log;
  EXPECT_EQ(count(log, "registered again"), 1u) << log;
  EXPECT_THAT(log, HasSubstr("the database is away"));
}

TEST_F(RegistrationTest, StartsOutOfTheRegistryWhenTheCheckFails) {
  const auto hook = std::make_shared<Watchful>();
  hook->fit = false;
  service_.add(hook);
  ASSERT_TRUE(service_.start());
  hook->checks.wait_for(3);
  EXPECT_THAT(listed(service_, *registry_), ElementsAre());
  hook->fit = true;
  registry_->registered.wait_for(1);
  EXPECT_THAT(listed(service_, *registry_), ElementsAre(node()));
  hook->fit = false;
  registry_->deregistered.wait_for(1);
  service_.stop();
  EXPECT_EQ(registry_->deregistered.get(), 1) << "it was out already";
}

TEST_F(RegistrationTest, AFailingCheckIsNotForgottenWhileTheRegistryIsDown) {
  const auto hook = std::make_shared<Watchful>();
  service_.add(hook);
  ASSERT_TRUE(service_.start());
  registry_->down = true;
  hook->fit = false;
  registry_->deregistered.wait_for(3);
  registry_->down = false;
  // Between two checks it tries to leave.
  hook->checks.wait_for(hook->checks.get() + 2);
  EXPECT_THAT(listed(service_, *registry_), ElementsAre());
}

TEST_F(RegistrationTest, LeavesARegistryThatIsBackInTime) {
  ASSERT_TRUE(service_.start());
  registry_->down = true;
  registry_->refused.wait_for(2);
  registry_->on_deregister = [&, tries = 0]() mutable {
    if (++tries == 2) registry_->down = false;
  };
  service_.stop();
  EXPECT_EQ(registry_->deregistered.get(), 2);
  registry_->on_deregister = {};
  Service other(quiet("other", registry_));
  ASSERT_TRUE(other.start());
  EXPECT_THAT(listed(other, *registry_), ElementsAre("other@latest " + other.address()));
}

TEST_F(RegistrationTest, GivesUpLeavingARegistryThatIsGone) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(service_.start());
  registry_->down = true;
  service_.stop();
  EXPECT_EQ(registry_->deregistered.get(), 3);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(log, "cannot leave the registry; the record runs out after its time to live"), 1u) << log;
}

// A registration without a service around it, so that its times can be short.
class RegistrationAlone : public testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }
  static registry::Service record() {
    return {.name = "echo", .version = "v1", .nodes = {{.id = "echo-1", .address = "10.0.0.1:80"}}};
  }

  Loop loop_;
  log::Logger logger_{{.level = log::Level::kOff}};
  test::FakeRegistry registry_;
  std::vector<std::shared_ptr<Hook>> hooks_;
  Registration registration_{
      registry_,
      record(),
      {.ttl = hours(1), .interval = milliseconds(1), .timeout = milliseconds(5), .leave_retry = milliseconds(1)},
      hooks_,
      logger_};
};

TEST_F(RegistrationAlone, StoppingIsBoundedWhenTheRegistryHangs) {
  ASSERT_TRUE(run(registration_.start()));
  registry_.hangs = true;
  EXPECT_TRUE(run(registration_.stop()));
  EXPECT_EQ(registry_.deregistered.get(), 1);
}

TEST_F(RegistrationAlone, AnAnswerThatWasLateMayStandForARecord) {
  registry_.hangs = true;
  EXPECT_EQ(run(registration_.start()).error().code(), Code::kDeadlineExceeded);
  registry_.hangs = false;
  EXPECT_TRUE(run(registration_.stop()));
  EXPECT_EQ(registry_.deregistered.get(), 1);
}

TEST_F(RegistrationAlone, ARefusalDoesNot) {
  registry_.down = true;
  EXPECT_EQ(run(registration_.start()).error().code(), Code::kUnavailable);
  EXPECT_FALSE(run(registration_.stop()));
  EXPECT_EQ(registry_.deregistered.get(), 0);
}

TEST_F(RegistrationAlone, ACheckThatHangsIsEndedAndFails) {
  struct Hanging final : Hook {
    Task<Result<void>> register_check(Context& context) override {
      co_await until_cancelled(context);
      co_return fail(*context.error());
    }
  };
  hooks_.push_back(std::make_shared<Hanging>());
  ASSERT_TRUE(run(registration_.start()));
  EXPECT_FALSE(registration_.registered());
  EXPECT_FALSE(run(registration_.stop()));
  EXPECT_EQ(registry_.registered.get(), 0);
}

TEST_F(RegistrationTest, MembershipSaysWhoJoinsAndLeaves) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(service_.start());
  std::string address;
  {
    Service other(quiet("other", registry_));
    ASSERT_TRUE(other.start());
    address = other.address();
    wait_for_renewal();
  }
  wait_for_renewal();
  service_.stop();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(log, "[other] node [" + address + "] join"), 1u) << log;
  EXPECT_EQ(count(log, "[other] node [" + address + "] leave"), 1u) << log;
}

TEST_F(RegistrationTest, HooksAreToldWhoJoinsAndLeaves) {
  const auto hook = std::make_shared<Watchful>();
  service_.add(hook);
  ASSERT_TRUE(service_.start());
  hook->changes.wait_for(1);
  std::string address;
  {
    Service other(quiet("other", registry_));
    ASSERT_TRUE(other.start());
    address = other.address();
    hook->changes.wait_for(2);
  }
  hook->changes.wait_for(3);
  EXPECT_THAT(hook->seen(), ElementsAre("+echo " + service_.address(), "+other " + address, "-other " + address));
}

TEST_F(RegistrationTest, ANodeWithASecondPortIsShownAsGomsDoes) {
  testing::internal::CaptureStderr();
  const auto hook = std::make_shared<Watchful>();
  service_.add(hook);
  ASSERT_TRUE(service_.start());
  hook->changes.wait_for(1);
  registry::Service user{.name = "user", .nodes = {{.id = "user-1", .address = "10.0.0.7:9181"}}};
  registry::set_property(user.nodes[0].metadata, "http_address", "10.0.0.7:9081");
  const auto change = [&]() -> Task<void> {
    Context context;
    const registry::RegisterOptions options;
    (void)co_await registry_->register_service(context, user, options);
    registry::set_property(user.nodes[0].metadata, "zone", "b");
    (void)co_await registry_->register_service(context, user, options);
    (void)co_await registry_->deregister_service(context, user);
  };
  service_.run_on_loop(change());
  hook->changes.wait_for(3);
  service_.stop();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(log, "[user] node [10.0.0.7:9181_10.0.0.7:9081] join"), 1u) << log << "another zone is no news";
  EXPECT_EQ(count(log, "[user] node [10.0.0.7:9181_10.0.0.7:9081] leave"), 1u) << log;
}

}  // namespace
}  // namespace micro
