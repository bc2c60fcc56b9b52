#include <micro/balance/strategy.hpp>

#include <set>

namespace micro::balance {
namespace {

std::vector<std::size_t> picks(Strategy& strategy, const std::vector<std::size_t>& counts) {
  std::vector<std::size_t> chosen;
  for (const std::size_t count : counts) chosen.push_back(strategy.pick(count, TimePoint{}));
  return chosen;
}

struct RoundRobinCase {
  const char* what;
  std::size_t first;
  std::vector<std::size_t> counts;
  std::vector<std::size_t> expected;
};

class RoundRobinTest : public testing::TestWithParam<RoundRobinCase> {};

TEST_P(RoundRobinTest, PicksInTurn) {
  const RoundRobinCase& c = GetParam();
  EXPECT_EQ(picks(*round_robin(c.first), c.counts), c.expected) << c.what;
}

INSTANTIATE_TEST_SUITE_P(Strategy, RoundRobinTest,
                         testing::Values(RoundRobinCase{"wraps", 0, {3, 3, 3, 3}, {0, 1, 2, 0}},
                                         RoundRobinCase{"begins where told", 2, {3, 3, 3}, {2, 0, 1}},
                                         RoundRobinCase{"beginning above the count", 7, {3, 3}, {1, 2}},
                                         RoundRobinCase{"one", 0, {1, 1, 1}, {0, 0, 0}},
                                         RoundRobinCase{"grows", 0, {2, 2, 3, 3, 3}, {0, 1, 2, 0, 1}},
                                         RoundRobinCase{"shrinks", 0, {3, 3, 2, 2, 1}, {0, 1, 0, 1, 0}},
                                         RoundRobinCase{"the greatest beginning", static_cast<std::size_t>(-1), {2, 2}, {1, 0}}));

TEST(RoundRobin, BeginsAnywhere) {
  std::set<std::size_t> first;
  for (int i = 0; i < 200; ++i) first.insert(round_robin()->pick(4, TimePoint{}));
  EXPECT_EQ(first.size(), 4u);
}

TEST(Random, IsUniformAndBelowTheCount) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    auto strategy = random(42);
    constexpr std::size_t kPicksEach = 2000;
    std::vector<std::size_t> hits(count);
    for (std::size_t i = 0; i < count * kPicksEach; ++i) {
      const std::size_t index = strategy->pick(count, TimePoint{});
      ASSERT_LT(index, count);
      ++hits[index];
    }
    for (const std::size_t hit : hits) EXPECT_NEAR(static_cast<double>(hit), kPicksEach, kPicksEach * 0.1);
  }
}

TEST(Random, FollowsFromItsSeed) {
  const std::vector<std::size_t> counts(32, 1000);
  EXPECT_EQ(picks(*random(7), counts), picks(*random(7), counts));
  EXPECT_NE(picks(*random(7), counts), picks(*random(8), counts));
  EXPECT_NE(picks(*random(), counts), picks(*random(), counts));
}

TEST(MakeStrategy, KnowsItsNames) {
  for (const char* name : {"round_robin", "random"}) {
    auto made = make_strategy(name);
    ASSERT_TRUE(made) << name;
    EXPECT_EQ((*made)->name(), name);
  }
}

TEST(MakeStrategy, ListsTheNamesWhenItDoesNotKnowOne) {
  for (const char* name : {"", "Random", "p2c"}) {
    const auto made = make_strategy(name);
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(made.error().message(), "no balancing strategy \"" + std::string(name) + "\": known are round_robin, random");
  }
}

}  // namespace
}  // namespace micro::balance
