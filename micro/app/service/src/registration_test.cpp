// A node stays in the registry whatever happens to the registry.
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace micro
