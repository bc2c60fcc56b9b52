#include <micro/outlier/detector.hpp>

#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::outlier {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kStart = TimePoint() + seconds(1000);

class DetectorTest : public testing::Test {
 protected:
  void list(std::uint32_t count, Options options = {}) {
    made_.emplace(options);
    relist(count);
  }
  void relist(std::uint32_t count) {
    std::vector<Member> members;
    for (std::uint32_t i = 0; i < count; ++i) members.push_back({.slot = i, .life = i + 1});
    made_->assign(members, now_);
  }
  // Calls in a row; true when the last of them changed something.
  bool calls(std::uint32_t slot, int count, bool failed, Duration latency = milliseconds(1)) {
    bool changed = false;
    for (int i = 0; i < count; ++i) {
      changed = made_->record(slot, {.failed = failed, .latency = latency}, now_);
      if (changed) break;
    }
    return changed;
  }
  // Lets time go on to the next thing that happens.
  bool next() {
    now_ = made_->next();
    return made_->tick(now_);
  }
  std::vector<std::uint32_t> out() const {
    std::vector<std::uint32_t> slots;
    for (std::uint32_t i = 0; i < 100; ++i) {
      if (made_->ejected(i)) slots.push_back(i);
    }
    return slots;
  }

  TimePoint now_ = kStart;
  std::optional<Detector> made_;
};

TEST_F(DetectorTest, SeveralFailuresInARowEject) {
  list(3);
  calls(0, 10, false);
  calls(2, 10, false);
  EXPECT_FALSE(calls(1, 4, true));
  EXPECT_THAT(out(), IsEmpty());
  EXPECT_FALSE(calls(1, 1, false)) << "it has answered in between";
  EXPECT_FALSE(calls(1, 4, true));
  EXPECT_TRUE(calls(1, 1, true));
  EXPECT_THAT(out(), ElementsAre(1));
  ASSERT_EQ(made_->changes().size(), 1U);
  EXPECT_EQ(made_->changes()[0].reason, Reason::kConsecutiveFailures);
  EXPECT_EQ(made_->changes()[0].time_out, seconds(5));
  EXPECT_EQ(made_->returns_at(1), kStart + seconds(5));
  EXPECT_EQ(made_->next(), kStart + seconds(5));
  EXPECT_FALSE(made_->tick(kStart + seconds(4)));
  EXPECT_TRUE(next());
  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(made_->changes()[0].reason, Reason::kReturned);
}

TEST_F(DetectorTest, TheTimeOutGrowsAndIsForgiven) {
  list(3, {.base_ejection = seconds(20), .max_ejection = minutes(2)});
  const auto time_out = [&] {
    calls(0, 50, false);
    EXPECT_TRUE(calls(1, 5, true));
    const Duration time = made_->changes()[0].time_out;
    while (made_->ejected(1)) next();
    return time;
  };
  for (const int expected : {20, 40, 80, 120, 120}) EXPECT_EQ(time_out(), seconds(expected));
  // Windows without a call say nothing.
  for (int i = 0; i < 10; ++i) next();
  EXPECT_EQ(time_out(), minutes(2));
  for (int i = 0; i < 5; ++i) {
    calls(1, 50, false);
    next();
  }
  EXPECT_EQ(time_out(), seconds(40)) << "ejected six times, five good windows";
}

struct FloorCase {
  std::uint32_t servers;
  Options options;
  std::size_t most;
};

TEST_F(DetectorTest, SomeStayInAnyCase) {
  const FloorCase cases[] = {
      {1, {}, 0},
      {2, {}, 1},
      {3, {}, 1},
      {10, {}, 5},
      {10, {.max_ejected = 0.1}, 1},
      {10, {.max_ejected = 0}, 1},
      {10, {.max_ejected = 1}, 9},
      {10, {.max_ejected = 1, .min_healthy = 4}, 6},
      {3, {.max_ejected = 1, .min_healthy = 3}, 0},
      {3, {.max_ejected = 1, .min_healthy = 0}, 3},
  };
  for (FloorCase c : cases) {
    c.options.others_failing = 2;  // never: all of them fail here
    list(c.servers, c.options);
    for (std::uint32_t i = 0; i < c.servers; ++i) calls(i, 20, true);
    EXPECT_EQ(made_->ejected_count(), c.most) << c.servers << ' ' << c.options.max_ejected;
    EXPECT_EQ(out().size(), c.most);
  }
}

TEST_F(DetectorTest, WhenAllFailNobodyIsAnOutlier) {
  list(4);
  for (int i = 0; i < 100; ++i) {
    for (std::uint32_t slot = 0; slot < 4; ++slot) EXPECT_FALSE(calls(slot, 1, true));
  }
  next();
  EXPECT_THAT(out(), IsEmpty());
  // Two windows later the others do well again.
  for (int window = 0; window < 2; ++window) {
    for (const std::uint32_t slot : {0U, 2U, 3U}) calls(slot, 30, false);
    next();
  }
  EXPECT_TRUE(calls(1, 5, true));
  EXPECT_THAT(out(), ElementsAre(1));
}

TEST_F(DetectorTest, TheOnlyOneThatIsCalledIsTakenOutWhileOthersAreThere) {
  list(3);
  EXPECT_TRUE(calls(0, 5, true));
  EXPECT_THAT(out(), ElementsAre(0));
}

struct RateCase {
  const char* what;
  std::vector<std::pair<int, int>> good_and_bad;  // of each server, in one window
  std::vector<std::uint32_t> expected;
};

TEST_F(DetectorTest, TheFailureRateIsComparedWithThatOfTheOthers) {
  const RateCase cases[] = {
      {"one in two", {{50, 0}, {50, 50}, {50, 0}}, {1}},
      {"less than half", {{50, 0}, {60, 40}, {50, 0}}, {}},
      {"too few calls to tell", {{50, 0}, {9, 10}, {50, 0}}, {}},
      {"the others fail, too", {{55, 45}, {50, 50}, {55, 45}}, {}},
      {"the worst one when there is room for one", {{50, 50}, {10, 90}, {100, 0}}, {1}},
      {"all well", {{50, 0}, {50, 0}, {50, 0}}, {}},
  };
  for (const RateCase& c : cases) {
    list(3, {.consecutive_failures = 0});
    for (std::uint32_t i = 0; i < 3; ++i) {
      calls(i, c.good_and_bad[i].first, false);
      calls(i, c.good_and_bad[i].second, true);
    }
    next();
    EXPECT_EQ(out(), c.expected) << c.what;
    if (!c.expected.empty()) EXPECT_EQ(made_->changes()[0].reason, Reason::kFailureRate);
  }
}

struct LatencyCase {
  const char* what;
  std::vector<int> milliseconds;
  double factor;
  std::vector<std::uint32_t> expected;
};

TEST_F(DetectorTest, TheLatencyIsComparedWithTheMedian) {
  const LatencyCase cases[] = {
      {"off by default", {10, 10, 5000, 10}, Options().latency_factor, {}},
      {"much slower", {10, 12, 500, 11}, 5, {2}},
      {"slower, but not by so much", {10, 12, 49, 11}, 5, {}},
      {"many times, but little time", {1, 1, 90, 1}, 5, {}},
      {"of two", {10, 400}, 5, {1}},
      {"the slowest first", {10, 700, 10, 500, 10}, 5, {1, 3}},
      {"half of them", {10, 700, 10, 500}, 5, {1, 3}},
  };
  for (const LatencyCase& c : cases) {
    list(static_cast<std::uint32_t>(c.milliseconds.size()), {.latency_factor = c.factor});
    for (std::uint32_t i = 0; i < c.milliseconds.size(); ++i) calls(i, 30, false, milliseconds(c.milliseconds[i]));
    next();
    EXPECT_EQ(out(), c.expected) << c.what;
    if (!c.expected.empty()) EXPECT_EQ(made_->changes()[0].reason, Reason::kLatency);
  }
}

TEST_F(DetectorTest, WhatIsKnownSurvivesChangesOfTheList) {
  list(3);
  calls(0, 20, false);
  calls(1, 4, true);
  relist(5);
  EXPECT_TRUE(calls(1, 1, true));
  relist(3);
  EXPECT_THAT(out(), ElementsAre(1));
  // Another server in its slot starts anew.
  const std::vector<Member> members{{.slot = 0, .life = 1}, {.slot = 1, .life = 77}};
  made_->assign(members, now_);
  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(made_->ejected_count(), 0U);
  EXPECT_FALSE(calls(2, 50, true)) << "not listed any more";
}

TEST_F(DetectorTest, ForgetsWhenAsked) {
  list(3);
  calls(1, 5, true);
  EXPECT_TRUE(made_->forget(now_));
  EXPECT_THAT(out(), IsEmpty());
  EXPECT_FALSE(calls(1, 4, true));
  EXPECT_FALSE(made_->forget(now_));
}

TEST_F(DetectorTest, SwitchedOffItDoesNothing) {
  list(3, {.enabled = false});
  EXPECT_FALSE(calls(1, 100, true));
  EXPECT_EQ(made_->next(), TimePoint::max());
}

TEST(Reason, HasAWord) {
  EXPECT_EQ(to_string(Reason::kConsecutiveFailures), "consecutive failures");
  EXPECT_EQ(to_string(Reason::kFailureRate), "failure rate");
  EXPECT_EQ(to_string(Reason::kLatency), "latency");
  EXPECT_EQ(to_string(Reason::kReturned), "returned");
}

}  // namespace
}  // namespace micro::outlier
