#include <micro/coro/call_on.hpp>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/loop/group.hpp>

namespace micro {
namespace {

using testing::HasSubstr;

LoopGroup::Options one_loop() {
  LoopGroup::Options options;
  options.size = 1;
  options.name = "away";
  return options;
}

// The test's own loop is home; another thread runs the target.
class CallOnTest : public testing::Test {
 protected:
  CallOnTest() : away_(one_loop()) { away_.start(); }
  Loop& target() { return away_.loop(0); }

  Loop home_;
  LoopGroup away_;
  Context context_;
};

TEST_F(CallOnTest, RunsThereAndComesBack) {
  Loop* ran_on = nullptr;
  Loop* came_back_on = nullptr;
  auto work = [&](Context&) -> Task<Result<std::string>> {
    ran_on = Loop::current();
    co_return "done";
  };
  auto task = [&]() -> Task<Result<std::string>> {
    auto result = co_await call_on(target(), context_, work);
    came_back_on = Loop::current();
    co_return result;
  };
  EXPECT_EQ(block_on(home_, task()), Result<std::string>("done"));
  EXPECT_EQ(ran_on, &target());
  EXPECT_EQ(came_back_on, &home_);
}

TEST_F(CallOnTest, OnItsOwnLoopTheContextIsTheCallers) {
  Context* seen = nullptr;
  auto work = [&](Context& context) -> Task<Result<void>> {
    seen = &context;
    co_return Result<void>{};
  };
  EXPECT_TRUE(block_on(home_, call_on(home_, context_, work)));
  EXPECT_EQ(seen, &context_);
}

TEST_F(CallOnTest, ErrorsComeBack) {
  auto work = [](Context&) -> Task<Result<int>> { co_return fail(not_found("no such thing")); };
  const Result<int> result = block_on(home_, call_on(target(), context_, work));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kNotFound);
}

TEST_F(CallOnTest, TheDeadlineHoldsThere) {
  context_.set_timeout(std::chrono::milliseconds(1));
  auto work = [](Context& context) { return sleep(context, std::chrono::hours(1)); };
  const Result<void> result = block_on(home_, call_on(target(), context_, work));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kDeadlineExceeded);
}

TEST_F(CallOnTest, CancellingTravels) {
  std::atomic<bool> began = false;
  auto work = [&](Context& context) -> Task<Result<void>> {
    began = true;
    co_return co_await sleep(context, std::chrono::hours(1));
  };
  auto cancel_when_begun = [&]() -> Task<void> {
    while (!began) co_await sleep_for(std::chrono::milliseconds(1));
    context_.cancel(cancelled("enough"));
  };
  auto both = [&]() -> Task<Result<void>> {
    spawn(cancel_when_begun());
    co_return co_await call_on(target(), context_, work);
  };
  const Result<void> result = block_on(home_, both());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kCancelled);
  EXPECT_THAT(result.error().message(), HasSubstr("enough"));
}

TEST_F(CallOnTest, ACancelledContextIsSeenAtOnce) {
  context_.cancel(cancelled("too late"));
  auto work = [](Context& context) -> Task<Result<bool>> { co_return context.cancelled(); };
  EXPECT_EQ(block_on(home_, call_on(target(), context_, work)), Result<bool>(true));
}

}  // namespace
}  // namespace micro
