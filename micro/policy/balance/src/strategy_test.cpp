#include <micro/balance/strategy.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <micro/balance/hash.hpp>

#include "balance_fixture.hpp"

namespace micro::balance {
namespace {

using testing::ElementsAre;

TEST(RoundRobin, TakesTurnsWhileTheListChanges) {
  struct Case {
    const char* what;
    std::size_t first;
    std::vector<std::size_t> counts;
    std::vector<Group::Position> expected;
  };
  const Case cases[] = {
      {"wraps", 0, {3, 3, 3, 3}, {0, 1, 2, 0}},
      {"begins where told", 2, {3, 3, 3}, {2, 0, 1}},
      {"beginning above the count", 7, {3, 3}, {1, 2}},
      {"one", 0, {1, 1, 1}, {0, 0, 0}},
      {"grows", 0, {2, 2, 3, 3, 3}, {0, 1, 2, 0, 1}},
      {"shrinks", 0, {3, 3, 2, 2, 1}, {0, 1, 0, 1, 0}},
      {"the greatest beginning", static_cast<std::size_t>(-1), {2, 2}, {1, 0}},
  };
  for (const Case& c : cases) {
    const auto strategy = round_robin(c.first);
    Group group;
    std::vector<Group::Position> chosen;
    for (const std::size_t count : c.counts) {
      assign(group, equal(count));
      chosen.push_back(strategy->pick(group, {}));
    }
    EXPECT_EQ(chosen, c.expected) << c.what;
  }
}

TEST(RoundRobin, BeginsAnywhere) {
  Group group;
  assign(group, equal(4));
  std::set<Group::Position> first;
  for (int i = 0; i < 200; ++i) first.insert(round_robin()->pick(group, {}));
  EXPECT_EQ(first.size(), 4U);
}

TEST(Random, IsUniformWhateverTheWeights) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    Group group({}, 42);
    std::vector<Node> nodes = equal(count);
    nodes.front().weight = 1;
    assign(group, nodes);
    constexpr int kEach = 2000;
    const auto hits = count_picks(*random(), group, static_cast<int>(count) * kEach);
    ASSERT_EQ(hits.size(), count);
    double chi_square = 0;
    for (const auto& [position, hit] : hits) chi_square += (hit - kEach) * (hit - kEach) / static_cast<double>(kEach);
    EXPECT_LT(chi_square, 22.5) << count;  // 0.1 % of honest dice do worse with 6 degrees of freedom
  }
}

TEST(WeightedRoundRobin, IsNginxsSmoothOne) {
  struct Case {
    std::vector<std::uint32_t> weights;
    std::string expected;
  };
  const Case cases[] = {
      {{5, 1, 1}, "aabacaaaabacaa"}, {{1, 1, 1}, "abcabc"}, {{10, 20}, "babbab"},
      {{3, 0, 1}, "aacaaaca"},       {{0, 0}, "abab"},      {{4, 3, 2, 1}, "abcabdacba"},
  };
  for (const Case& c : cases) {
    Group group;
    assign(group, weighted(c.weights));
    EXPECT_EQ(letters(*weighted_round_robin(), group, static_cast<int>(c.expected.size())), c.expected);
  }
}

// As nginx does it: O(n), nothing to go wrong.
class Naive {
 public:
  std::size_t pick(const std::vector<std::uint32_t>& weights) {
    values_.resize(weights.size());
    std::size_t best = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      values_[i] += weights[i];
      if (values_[i] > values_[best]) best = i;
    }
    values_[best] -= std::accumulate(weights.begin(), weights.end(), 0L);
    return best;
  }

 private:
  std::vector<std::int64_t> values_;
};

TEST(WeightedRoundRobin, EqualsTheNaiveWayThroughChanges) {
  Dice dice(7);
  for (int round = 0; round < 20; ++round) {
    const auto strategy = weighted_round_robin();
    Group group;
    Naive naive;
    std::vector<std::uint32_t> weights(1 + dice.below(12));
    for (int change = 0; change < 6; ++change) {
      for (std::uint32_t& weight : weights) weight = static_cast<std::uint32_t>(1 + dice.below(5));
      assign(group, weighted(weights));
      for (int i = 0; i < 50; ++i) ASSERT_EQ(strategy->pick(group, {}), naive.pick(weights)) << round << ' ' << change;
      weights.push_back(1);
    }
  }
}

TEST(WeightedRoundRobin, SharesExactlyAndFilteredCallsKeepTheTurn) {
  Group group;
  assign(group, weighted({10, 20, 30}));
  const auto strategy = weighted_round_robin();
  EXPECT_THAT(count_picks(*strategy, group, 60), ElementsAre(std::pair(0, 10), std::pair(1, 20), std::pair(2, 30)));
  const std::vector<Group::Position> among{0, 2};
  std::map<Group::Position, int> hits;
  for (int i = 0; i < 40; ++i) ++hits[strategy->pick_among(group, among, {})];
  EXPECT_THAT(hits, ElementsAre(std::pair(0, 10), std::pair(2, 30)));
  EXPECT_THAT(count_picks(*strategy, group, 60), ElementsAre(std::pair(0, 10), std::pair(1, 20), std::pair(2, 30)));
}

TEST(WeightedRoundRobin, ManyDifferentWeightsStayNearTheirShares) {
  std::vector<std::uint32_t> weights;
  for (std::uint32_t i = 1; i <= 1000; ++i) weights.push_back(i);
  Group group;
  assign(group, weighted(weights));
  const auto hits = count_picks(*weighted_round_robin(), group, 500500);
  for (std::uint32_t i = 100; i < 1000; ++i) EXPECT_NEAR(hits.at(i), i + 1, (i + 1) * 0.06) << i;
}

TEST(LeastLoaded, LeavesAServerThatDoesNotAnswerAlone) {
  Group group({}, 3);
  assign(group, equal(3));
  const auto strategy = least_loaded();
  const Group::Position stuck = strategy->pick(group, {});
  group.begin(stuck, {});
  for (int i = 0; i < 100; ++i) {
    const Group::Position chosen = strategy->pick(group, {});
    EXPECT_NE(chosen, stuck);
    group.end(group.begin(chosen, {}), {}, {}, false);
  }
}

TEST(LeastLoaded, TakesTheSmallestCountAmongAThousand) {
  Group group({}, 5);
  assign(group, equal(1000));
  const auto strategy = least_loaded();
  std::vector<int> in_flight(1000);
  Dice dice(11);
  std::vector<Group::Slot> calls;
  for (int i = 0; i < 20000; ++i) {
    if (!calls.empty() && dice.below(5) < 2) {
      const std::size_t ended = dice.below(calls.size());
      --in_flight[calls[ended]];
      group.abandon(calls[ended], {});
      calls[ended] = calls.back();
      calls.pop_back();
      continue;
    }
    const Group::Position chosen = strategy->pick(group, {});
    ASSERT_EQ(in_flight[group.slot(chosen)], *std::ranges::min_element(in_flight)) << i;
    calls.push_back(group.begin(chosen, {}));
    ++in_flight[calls.back()];
  }
  const std::vector<Group::Position> among{4, 5};
  group.begin(4, {});
  group.begin(4, {});
  EXPECT_EQ(strategy->pick_among(group, among, {}), 5U);
}

TEST(P2c, ForcesAPickOfWhomNobodyChose) {
  const auto strategy = p2c();
  Group group({}, 1);
  TimePoint now{};
  assign(group, equal(2), now);
  // The second is slow.
  const Group::Slot slow = group.begin(1, now);
  const Group::Slot fast = group.begin(0, now);
  strategy->pick(group, {.now = now});
  group.end(fast, now, now + milliseconds(1), false);
  group.end(slow, now, now + milliseconds(500), false);
  now += milliseconds(500);
  int forced = 0;
  for (int i = 0; i < 100; ++i) {
    const Group::Position chosen = strategy->pick(group, {.now = now});
    forced += chosen == 1 ? 1 : 0;
    group.abandon(group.begin(chosen, now), now);
    now += milliseconds(100);
  }
  EXPECT_EQ(forced, 3);  // in 10 s, of which it was chosen in the first half second
}

TEST(Hashing, OneKeyOneServerOnWhateverClient) {
  for (const char* name : {"consistent_hash", "rendezvous"}) {
    Group group({}, 1);
    Group other({}, 2);
    std::vector<Node> nodes = equal(20);
    assign(group, nodes);
    std::ranges::reverse(nodes);
    assign(other, nodes);
    const auto mine = make_strategy(name).value();
    const auto theirs = make_strategy(name).value();
    for (int i = 0; i < 500; ++i) {
      const Query query{.key = hash_key("user-" + std::to_string(i))};
      EXPECT_EQ(mine->pick(group, query), 19 - theirs->pick(other, query)) << name;
    }
  }
}

TEST(Hashing, ALeavingServerMovesItsOwnKeysAlone) {
  for (const char* name : {"consistent_hash", "rendezvous"}) {
    const auto strategy = make_strategy(name).value();
    Group group;
    std::vector<Node> nodes = equal(10);
    assign(group, nodes);
    const auto owners = [&] {
      std::vector<std::string> ids;
      for (int i = 0; i < 5000; ++i) ids.push_back(nodes[strategy->pick(group, {.key = hash_key(std::to_string(i))})].id);
      return ids;
    };
    const auto before = owners();
    const std::string gone = nodes[3].id;
    nodes.erase(nodes.begin() + 3);
    assign(group, nodes);
    const auto after = owners();
    std::map<std::string, int> heirs;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i] == gone)
        ++heirs[after[i]];
      else
        ASSERT_EQ(after[i], before[i]) << name;
    }
    EXPECT_GT(heirs.size(), 5U) << name << ": its keys go to many, not to one neighbour";
  }
}

TEST(Hashing, TheNextOwnerTakesOverWhatAFilteredCallMayNotHave) {
  for (const char* name : {"consistent_hash", "rendezvous"}) {
    const auto strategy = make_strategy(name).value();
    Group group;
    assign(group, equal(8));
    for (int i = 0; i < 200; ++i) {
      const Query query{.key = hash_key(std::to_string(i))};
      const Group::Position owner = strategy->pick(group, query);
      std::vector<Group::Position> all, others;
      for (Group::Position p = 0; p < 8; ++p) {
        all.push_back(p);
        if (p != owner) others.push_back(p);
      }
      EXPECT_EQ(strategy->pick_among(group, all, query), owner) << name;
      const Group::Position next = strategy->pick_among(group, others, query);
      EXPECT_NE(next, owner) << name;
      EXPECT_EQ(strategy->pick_among(group, others, query), next) << name;
      // The same as if the owner had left.
      group.eject(group.slot(owner));
      EXPECT_EQ(strategy->pick(group, query), next) << name;
      group.restore(group.slot(owner), {});
    }
  }
}

TEST(Hashing, WeightsGiveMoreKeys) {
  for (const char* name : {"consistent_hash", "rendezvous"}) {
    const auto strategy = make_strategy(name).value();
    Group group;
    assign(group, weighted({100, 100, 200}));
    std::map<Group::Position, int> hits;
    for (int i = 0; i < 20000; ++i) ++hits[strategy->pick(group, {.key = hash_key(std::to_string(i))})];
    EXPECT_NEAR(hits[2], 10000, 1500) << name;
    EXPECT_NEAR(hits[0], 5000, 1200) << name;
  }
}

TEST(Hashing, WithoutAKeyAnyServerWillDo) {
  for (const char* name : {"consistent_hash", "rendezvous"}) {
    Group group({}, 9);
    assign(group, equal(4));
    EXPECT_EQ(count_picks(*make_strategy(name).value(), group, 400).size(), 4U) << name;
  }
}

TEST(Hash, IsTheSameEverywhere) {
  EXPECT_EQ(hash_key(""), 0xf52a15e9a9b5e89bULL);
  EXPECT_EQ(hash_key("user-42"), hash_key(std::string("user-") + "42"));
  EXPECT_NE(hash_key("a"), hash_key("b"));
}

TEST(Strategies, OnlyChooseWhomTheyMay) {
  for (const std::string& name : names()) {
    const auto strategy = make_strategy(name).value();
    Group group({}, 4);
    assign(group, equal(6));
    group.eject(group.slot(2));
    group.eject(group.slot(5));
    for (int i = 0; i < 300; ++i) {
      const Group::Position chosen = strategy->pick(group, {.now = TimePoint() + milliseconds(i), .key = Dice::mix(i)});
      EXPECT_TRUE(group.is_active(chosen)) << name << ' ' << chosen;
      const std::vector<Group::Position> among{1, 2};
      const Group::Position other = strategy->pick_among(group, among, {.key = Dice::mix(i)});
      EXPECT_TRUE(other == 1 || other == 2) << name << ' ' << other;
    }
    const std::vector<Group::Position> ejected{5};
    EXPECT_EQ(strategy->pick_among(group, ejected, {.key = 1}), 5U) << name;
  }
}

TEST(MakeStrategy, KnowsItsNames) {
  EXPECT_EQ(strategy_names(), "round_robin, random, weighted_round_robin, p2c, least_loaded, consistent_hash, rendezvous");
  for (const std::string& name : names()) {
    const auto made = make_strategy(name);
    ASSERT_TRUE(made) << name;
    EXPECT_EQ((*made)->name(), name);
  }
}

TEST(MakeStrategy, ListsTheNamesWhenItDoesNotKnowOne) {
  for (const char* name : {"", "Random", "p2"}) {
    const auto made = make_strategy(name);
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(made.error().message(), "no balancing strategy \"" + std::string(name) + "\": known are " + strategy_names());
  }
}

}  // namespace
}  // namespace micro::balance
