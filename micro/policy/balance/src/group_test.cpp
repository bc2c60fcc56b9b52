#include <micro/balance/group.hpp>

#include <algorithm>
#include <cmath>
#include <set>

#include "balance_fixture.hpp"

namespace micro::balance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> active(const Group& group, const std::vector<Node>& nodes) {
  std::vector<std::string> ids;
  for (const Group::Position position : group.active()) ids.push_back(nodes[position].id);
  return ids;
}

void eject(Group& group, std::initializer_list<Group::Position> positions) {
  for (const Group::Position position : positions) group.eject(group.slot(position));
}

// One call that takes `latency`.
void call(Group& group, Group::Position position, TimePoint begun, Duration latency, bool failed = false) {
  group.end(group.begin(position, begun), begun, begun + latency, failed);
}

TEST(GroupLoad, IsTheFormulaOfGmicro) {
  Group group({.load = LoadOptions::gmicro()});
  group.learn_lag();
  TimePoint now = TimePoint() + seconds(1);
  assign(group, equal(2), now);
  EXPECT_DOUBLE_EQ(group.worth(0, now), 100) << "idle, and nobody knows it";
  call(group, 0, now, milliseconds(5));
  now += milliseconds(5);
  EXPECT_DOUBLE_EQ(group.worth(0, now), 200000) << "idle, 5 ms";
  // One time constant later an old answer counts for 1/e.
  now += milliseconds(600) - milliseconds(15);
  call(group, 0, now, milliseconds(15), true);
  const double w = std::exp(-1);
  EXPECT_NEAR(w, 0.367879, 1e-6);
  EXPECT_NEAR(group.load(0).lag, 5e6 * w + 15e6 * (1 - w), 1);
  EXPECT_NEAR(group.load(0).success, 1000 * w, 1e-6);
}

TEST(GroupLoad, CountsTheCallsUnderWayAndHowLongTheyTake) {
  Group group({.load = LoadOptions::gmicro()});
  group.learn_lag();
  const TimePoint start = TimePoint() + seconds(5);
  assign(group, equal(1), start);
  call(group, 0, start, milliseconds(10));
  const TimePoint now = start + milliseconds(10);
  EXPECT_DOUBLE_EQ(group.expected_load(0, now), 1e7);
  const Group::Slot first = group.begin(0, now);
  EXPECT_DOUBLE_EQ(group.expected_load(0, now), 2e7);
  group.begin(0, now);
  EXPECT_DOUBLE_EQ(group.expected_load(0, now), 3e7);
  EXPECT_DOUBLE_EQ(group.expected_load(0, now + milliseconds(40)), 3 * 4e7) << "they are older than any answer took";
  group.abandon(first, now);
  EXPECT_DOUBLE_EQ(group.expected_load(0, now), 2e7);
}

TEST(GroupLoad, AColdServerIsNotShunned) {
  Group group;
  group.learn_lag();
  const TimePoint now = TimePoint() + seconds(1);
  assign(group, equal(2), now);
  call(group, 0, now, milliseconds(5));
  EXPECT_GT(group.worth(1, now + milliseconds(5)), group.worth(0, now + milliseconds(5)));
  // Nor flooded, before it has answered.
  for (int i = 0; i < 3; ++i) group.begin(1, now + milliseconds(5));
  EXPECT_LT(group.worth(1, now + milliseconds(5)), group.worth(0, now + milliseconds(5)));
}

TEST(Group, WhatIsKnownSurvivesChangesOfTheList) {
  Group group;
  group.learn_lag();
  TimePoint now = TimePoint() + seconds(1);
  std::vector<Node> nodes = equal(3);
  assign(group, nodes, now);
  call(group, 1, now, milliseconds(7));
  const Group::Slot slot = group.begin(1, now);
  const std::uint64_t life = group.life(slot);

  nodes.insert(nodes.begin(), {.id = "new"});
  nodes.erase(nodes.begin() + 1);  // node-0; node-1 is the second still
  nodes.insert(nodes.begin(), {.id = "newer"});
  assign(group, nodes, now);
  EXPECT_EQ(group.slot(2), slot);
  EXPECT_DOUBLE_EQ(group.load(2).lag, 7e6);
  EXPECT_EQ(group.load(2).in_flight, 1U);

  // A server that leaves keeps its slot until its last call has ended, and may come back before.
  const std::vector<Node> without{nodes[0], nodes[1], nodes[3]};
  assign(group, without, now);
  assign(group, nodes, now);
  EXPECT_EQ(group.load(2).in_flight, 1U);
  assign(group, without, now);
  group.end(slot, now, now + milliseconds(1), false);
  assign(group, nodes, now);
  EXPECT_EQ(group.load(2).lag, 0);
  EXPECT_NE(group.life(group.slot(2)), life);
}

TEST(Group, SlotsDoNotLeak) {
  Group group;
  for (int i = 0; i < 1000; ++i) {
    assign(group, {{.id = "a-" + std::to_string(i)}, {.id = "b-" + std::to_string(i)}});
    const Group::Slot slot = group.begin(0, {});
    assign(group, {{.id = "c-" + std::to_string(i)}});
    group.abandon(slot, {});
  }
  EXPECT_LE(group.slots(), 5U);
}

TEST(Group, EjectedServersAreLeftOutAndComeBackAsNew) {
  Group group;
  group.learn_lag();
  const auto nodes = equal(3);
  assign(group, nodes);
  call(group, 1, {}, seconds(3), true);
  const std::uint64_t before = group.generation();
  eject(group, {1});
  EXPECT_NE(group.generation(), before);
  EXPECT_THAT(active(group, nodes), ElementsAre("node-0", "node-2"));
  EXPECT_TRUE(group.ejected(1));
  eject(group, {0, 2});
  EXPECT_THAT(group.active(), IsEmpty());
  group.restore(group.slot(1), {});
  EXPECT_THAT(active(group, nodes), ElementsAre("node-1"));
  EXPECT_EQ(group.load(1).lag, 0);
  EXPECT_EQ(group.load(1).success, 1000);
}

TEST(Group, StandbysAreUsedWhenTooManyAreEjected) {
  Group group;
  std::vector<Node> nodes = equal(6);
  for (std::size_t i = 4; i < 6; ++i) nodes[i].priority = 1;
  assign(group, nodes);
  EXPECT_THAT(group.active(), ElementsAre(0, 1, 2, 3));
  eject(group, {0});
  EXPECT_THAT(group.active(), ElementsAre(1, 2, 3));
  eject(group, {1});
  EXPECT_THAT(group.active(), ElementsAre(2, 3, 4, 5));
  eject(group, {2, 3});
  EXPECT_THAT(group.active(), ElementsAre(4, 5));
}

TEST(Group, ServersWithoutWeightAreTheLastResort) {
  Group group;
  assign(group, weighted({100, 0, 100}));
  EXPECT_THAT(group.active(), ElementsAre(0, 2));
  eject(group, {0});
  EXPECT_THAT(group.active(), ElementsAre(2));
  eject(group, {2});
  EXPECT_THAT(group.active(), ElementsAre(1));
}

TEST(Group, OurOwnZoneIsPreferredWhileItIsWell) {
  Group group({.zone = "b"});
  std::vector<Node> nodes = equal(5);
  for (std::size_t i = 0; i < 5; ++i) nodes[i].zone = i < 3 ? "a" : "b";
  assign(group, nodes);
  EXPECT_THAT(group.active(), ElementsAre(3, 4));
  eject(group, {3});
  EXPECT_THAT(group.active(), ElementsAre(4));
  eject(group, {4});
  EXPECT_THAT(group.active(), ElementsAre(0, 1, 2));
  for (Node& node : nodes) node.zone = "a";
  assign(group, nodes);
  EXPECT_EQ(group.active().size(), 3U) << "nobody is in our zone; two are still ejected";
}

TEST(GroupSubset, FollowsFromTheKeyAndHardlyChanges) {
  const auto nodes = equal(1000);
  const auto subset = [&](const std::string& key, const std::vector<Node>& of) {
    Group group({.subset_size = 25, .subset_key = key});
    assign(group, of);
    const auto ids = active(group, of);
    return std::set<std::string>(ids.begin(), ids.end());
  };
  const auto mine = subset("client-1", nodes);
  EXPECT_EQ(mine.size(), 25U);
  EXPECT_EQ(subset("client-1", nodes), mine);
  EXPECT_NE(subset("client-2", nodes), mine);
  std::vector<Node> changed = nodes;
  std::erase_if(changed, [&](const Node& node) { return node.id == *mine.begin(); });
  const auto after = subset("client-1", changed);
  std::vector<std::string> common;
  std::ranges::set_intersection(mine, after, std::back_inserter(common));
  EXPECT_EQ(common.size(), 24U);
  EXPECT_EQ(after.size(), 25U);
}

TEST(GroupSubset, AThousandClientsSpreadOverAllServers) {
  const auto nodes = equal(200);
  std::vector<int> clients(nodes.size());
  for (int i = 0; i < 1000; ++i) {
    Group group({.subset_size = 20, .subset_key = "client-" + std::to_string(i)});
    assign(group, nodes);
    for (const Group::Position position : group.active()) ++clients[position];
  }
  const auto [least, most] = std::ranges::minmax(clients);
  EXPECT_GT(least, 65);  // 100 each on average, a standard deviation of 9.5
  EXPECT_LT(most, 135);
}

TEST(GroupSlowStart, NewServersGetTheirShareStepByStep) {
  for (const std::string& name : names()) {
    if (name == "consistent_hash" || name == "rendezvous") continue;  // a key has one owner
    const auto strategy = make_strategy(name).value();
    Group group({.slow_start = seconds(10)}, 17);
    TimePoint now = TimePoint() + seconds(100);
    std::vector<Node> nodes = equal(4);
    assign(group, nodes, now);
    EXPECT_FALSE(group.warming(now)) << "those of the first list are not new";
    nodes.push_back({.id = "new"});
    assign(group, nodes, now);
    ASSERT_TRUE(group.warming(now));
    const auto share_of_new = [&](TimePoint at) {
      int hits = 0;
      constexpr int kPicks = 5000;
      for (int i = 0; i < kPicks; ++i) {
        const Group::Position chosen = strategy->pick(group, {.now = at});
        group.end(group.begin(chosen, at), at, at + milliseconds(5), false);
        hits += chosen == 4 ? 1 : 0;
      }
      return static_cast<double>(hits) / kPicks;
    };
    const double at_first = share_of_new(now);
    const double half = share_of_new(now + seconds(5));
    const double at_last = share_of_new(now + seconds(10));
    EXPECT_LT(at_first, 0.07) << name;
    EXPECT_GT(at_first, 0.005) << name;
    EXPECT_GT(half, at_first + 0.03) << name;
    EXPECT_LT(half, 0.17) << name;
    EXPECT_NEAR(at_last, 0.2, 0.03) << name;
    EXPECT_FALSE(group.warming(now + seconds(10)));
  }
}

TEST(Group, ForgetsWhatCallsHaveShown) {
  Group group;
  group.learn_lag();
  assign(group, equal(1));
  call(group, 0, {}, seconds(1), true);
  group.begin(0, {});
  group.forget();
  EXPECT_EQ(group.load(0).lag, 0);
  EXPECT_EQ(group.load(0).success, 1000);
  EXPECT_EQ(group.load(0).in_flight, 1U);
}

}  // namespace
}  // namespace micro::balance
