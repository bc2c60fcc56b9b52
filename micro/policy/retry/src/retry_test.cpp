#include <micro/retry/retry.hpp>

#include <limits>

namespace micro::retry {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::uint64_t kLeast = 0;
constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr Duration kPlenty = std::chrono::hours(1);

struct MayCase {
  Progress progress;
  bool idempotent;
  Code code;
  bool retry;
};

class RetryMay : public testing::TestWithParam<MayCase> {};

TEST_P(RetryMay, FollowsProgressIdempotencyAndCode) {
  const MayCase& c = GetParam();
  const Attempt attempt{.number = 1, .progress = c.progress, .idempotent = c.idempotent};
  EXPECT_EQ(decide({}, attempt, c.code, kPlenty, kMost).retry, c.retry);
}

INSTANTIATE_TEST_SUITE_P(
    Retry, RetryMay,
    testing::Values(
        MayCase{Progress::kNotSent, false, Code::kUnavailable, true}, MayCase{Progress::kNotSent, true, Code::kUnavailable, true},
        MayCase{Progress::kNotSent, false, Code::kInternal, true}, MayCase{Progress::kNotSent, false, Code::kNotFound, true},
        MayCase{Progress::kNotSent, false, Code::kCancelled, false},
        MayCase{Progress::kNotSent, true, Code::kDeadlineExceeded, false}, MayCase{Progress::kNotSent, true, Code::kOk, false},
        MayCase{Progress::kSent, true, Code::kUnavailable, true}, MayCase{Progress::kSent, false, Code::kUnavailable, false},
        MayCase{Progress::kSent, true, Code::kInternal, false}, MayCase{Progress::kSent, true, Code::kResourceExhausted, false},
        MayCase{Progress::kSent, true, Code::kDeadlineExceeded, false}, MayCase{Progress::kSent, true, Code::kCancelled, false},
        MayCase{Progress::kReplyBegun, true, Code::kUnavailable, false},
        MayCase{Progress::kReplyBegun, false, Code::kUnavailable, false}));

struct WaitCase {
  const char* what;
  Options options;
  int number;
  std::uint64_t random;
  Duration wait;
};

class RetryWait : public testing::TestWithParam<WaitCase> {};

TEST_P(RetryWait, GrowsAndIsJittered) {
  const WaitCase& c = GetParam();
  const Attempt attempt{.number = c.number, .progress = Progress::kSent, .idempotent = true};
  const Decision decision = decide(c.options, attempt, Code::kUnavailable, Duration::max(), c.random);
  EXPECT_TRUE(decision.retry) << c.what;
  EXPECT_EQ(decision.wait, c.wait) << c.what;
}

constexpr Options kMany{.max_attempts = 1000, .base_backoff = milliseconds(10), .max_backoff = seconds(1)};
constexpr Options kHuge{.max_attempts = 1000, .base_backoff = std::chrono::hours(1), .max_backoff = Duration::max()};

INSTANTIATE_TEST_SUITE_P(
    Retry, RetryWait,
    testing::Values(WaitCase{"least", kMany, 1, kLeast, nanoseconds(0)},
                    WaitCase{"most of the first", kMany, 1, kMost, milliseconds(10)},
                    WaitCase{"half of the first", kMany, 1, kHalf, milliseconds(5)},
                    WaitCase{"second", kMany, 2, kMost, milliseconds(20)}, WaitCase{"third", kMany, 3, kMost, milliseconds(40)},
                    WaitCase{"seventh", kMany, 7, kMost, milliseconds(640)}, WaitCase{"capped", kMany, 8, kMost, seconds(1)},
                    WaitCase{"capped late", kMany, 999, kMost, seconds(1)},
                    WaitCase{"no overflow", kHuge, 900, kHalf, Duration::max() / 2 + nanoseconds(1)},
                    WaitCase{"no backoff", {.max_attempts = 9, .base_backoff = {}}, 5, kMost, nanoseconds(0)},
                    WaitCase{"negative backoff", {.max_attempts = 9, .base_backoff = seconds(-1)}, 5, kMost, nanoseconds(0)},
                    WaitCase{"negative cap", {.max_attempts = 9, .max_backoff = seconds(-1)}, 5, kMost, nanoseconds(0)},
                    WaitCase{"base above the cap",
                             {.max_attempts = 9, .base_backoff = seconds(3), .max_backoff = seconds(2)},
                             1,
                             kMost,
                             seconds(2)}));

TEST(Retry, WhatWasNotSentGoesElsewhereAtOnce) {
  const Decision decision = decide({}, {.number = 2, .progress = Progress::kNotSent}, Code::kUnavailable, kPlenty, kMost);
  EXPECT_TRUE(decision.retry);
  EXPECT_EQ(decision.wait, Duration::zero());
}

TEST(Retry, EndsWithTheAttempts) {
  for (const Progress progress : {Progress::kNotSent, Progress::kSent}) {
    const auto retried = [&](int max_attempts, int number) {
      return decide({.max_attempts = max_attempts}, {.number = number, .progress = progress, .idempotent = true},
                    Code::kUnavailable, kPlenty, kLeast)
          .retry;
    };
    EXPECT_TRUE(retried(3, 1));
    EXPECT_TRUE(retried(3, 2));
    EXPECT_FALSE(retried(3, 3));
    EXPECT_FALSE(retried(3, 4));
    EXPECT_FALSE(retried(1, 1));
    EXPECT_FALSE(retried(0, 1));
  }
}

TEST(Retry, ANotFittingWaitIsNotBegun) {
  const Options options{.base_backoff = milliseconds(10)};
  const Attempt attempt{.number = 1, .progress = Progress::kSent, .idempotent = true};
  EXPECT_TRUE(decide(options, attempt, Code::kUnavailable, milliseconds(10) + nanoseconds(1), kMost).retry);
  EXPECT_FALSE(decide(options, attempt, Code::kUnavailable, milliseconds(10), kMost).retry);
  EXPECT_FALSE(decide(options, attempt, Code::kUnavailable, Duration::zero(), kLeast).retry);
  EXPECT_FALSE(decide(options, attempt, Code::kUnavailable, milliseconds(-1), kLeast).retry);
  EXPECT_FALSE(decide(options, {.progress = Progress::kNotSent}, Code::kUnavailable, Duration::zero(), kLeast).retry);
}

}  // namespace
}  // namespace micro::retry
