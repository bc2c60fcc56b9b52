#include <micro/selector/selector.hpp>

#include <algorithm>
#include <set>

#include <micro/selector/conformance.hpp>

namespace micro::selector {

namespace conformance {
namespace {

Subject by_strategy(const char* name) {
  return {name, [name] { return std::move(make_selector(name).value()); }};
}

INSTANTIATE_TEST_SUITE_P(Selector, SelectorConformance,
                         testing::Values(by_strategy("round_robin"), by_strategy("random"), by_strategy("weighted_round_robin"),
                                         by_strategy("p2c"), by_strategy("least_loaded"), by_strategy("consistent_hash"),
                                         by_strategy("rendezvous")),
                         subject_name);

}  // namespace
}  // namespace conformance

namespace {

using conformance::make_nodes;

struct FilterCase {
  const char* what;
  FilterPtr filter;
  std::string describes;
  std::string keeps;  // of a v1 eu, b v2 eu, c v1 us, d v2 us
};

class FilterTest : public testing::TestWithParam<FilterCase> {};

TEST_P(FilterTest, KeepsWhatItSays) {
  std::string kept;
  for (const Candidate& candidate : make_nodes(4).candidates) {
    if (GetParam().filter->keep(candidate)) kept += candidate.node.id;
  }
  EXPECT_EQ(kept, GetParam().keeps) << GetParam().what;
  EXPECT_EQ(GetParam().filter->describe(), GetParam().describes);
}

INSTANTIATE_TEST_SUITE_P(Selector, FilterTest,
                         testing::Values(FilterCase{"version", with_version("v2"), "version = v2", "bd"},
                                         FilterCase{"no such version", with_version("v"), "version = v", ""},
                                         FilterCase{"label", with_label("zone", "eu"), "zone = eu", "ab"},
                                         FilterCase{"label of another value", with_label("zone", "e"), "zone = e", ""},
                                         FilterCase{"no such label", with_label("rack", ""), "rack = ", ""},
                                         FilterCase{"address", with_address("10.0.0.3:80"), "address = 10.0.0.3:80", "c"},
                                         FilterCase{"blacklist", without_nodes({"a", "d", "x"}), "node not in (a, d, x)", "bc"},
                                         FilterCase{"empty blacklist", without_nodes({}), "node not in ()", "abcd"}));

std::string turns(Selector& selector, const NodeList& nodes, int count, const Request& request = {}) {
  std::string ids;
  for (int i = 0; i < count; ++i) ids += selector.select(nodes, request, {}).value()->node.id;
  return ids;
}

TEST(RoundRobinSelector, TakesTurnsInEachServiceByItself) {
  const auto selector = std::move(make_selector("round_robin").value());
  const NodeList greeter = make_nodes(3);
  const NodeList other = make_nodes(3, "other");
  std::string mine;
  for (int i = 0; i < 6; ++i) {
    mine += turns(*selector, greeter, 1);
    turns(*selector, other, i);
  }
  EXPECT_NE(std::string("abcabcab").find(mine), std::string::npos) << mine;
}

TEST(RoundRobinSelector, TakesTurnsAmongTheFiltered) {
  const auto selector = std::move(make_selector().value());
  const std::vector<FilterPtr> filters{with_version("v1")};
  const std::string ids = turns(*selector, make_nodes(6), 9, {.filters = filters});
  EXPECT_NE(std::string("aceaceaceace").find(ids), std::string::npos) << ids;
}

TEST(WeightedSelector, ReadsWeightsOfNodes) {
  const auto selector = std::move(make_selector("weighted_round_robin").value());
  NodeList nodes = make_nodes(3);
  nodes.candidates[0].node.metadata = {{"weight", "5"}};
  nodes.candidates[1].node.metadata = {{"weight", "1"}};
  nodes.candidates[2].node.metadata = {{"weight", "1"}};
  EXPECT_EQ(turns(*selector, nodes, 14), "aabacaaaabacaa");
}

TEST(WeightedSelector, WhatIsNoNumberIsNoWeight) {
  const auto selector = std::move(make_selector("weighted_round_robin").value());
  NodeList nodes = make_nodes(3);
  for (const auto& [i, text] : {std::pair{0, "heavy"}, {1, "-1"}, {2, "99999999999999999999"}}) {
    nodes.candidates[static_cast<std::size_t>(i)].node.metadata = {{"weight", text}};
  }
  std::string ids = turns(*selector, nodes, 9);
  std::ranges::sort(ids);
  EXPECT_EQ(ids, "aaabbbccc");
}

TEST(PrioritySelector, TheOthersStandBy) {
  const auto selector = std::move(make_selector("random").value());
  NodeList nodes = make_nodes(3);
  nodes.candidates[1].node.metadata = {{"priority", "1"}};
  EXPECT_EQ(turns(*selector, nodes, 200).find('b'), std::string::npos);
}

TEST(LeastLoadedSelector, KnowsTheCallsUnderWay) {
  const auto selector = std::move(make_selector("least_loaded").value());
  const NodeList nodes = make_nodes(3);
  const TimePoint now{};
  std::vector<Ticket> tickets;
  std::string ids;
  for (int i = 0; i < 3; ++i) {
    const Candidate* const candidate = selector->select(nodes, {}, now).value();
    ids += candidate->node.id;
    tickets.push_back(selector->begin(nodes, *candidate, now));
  }
  const std::string first = ids;
  std::ranges::sort(ids);
  EXPECT_EQ(ids, "abc") << "each has one";
  selector->mark(tickets[1], Outcome::kUnknown, now);
  EXPECT_EQ(turns(*selector, nodes, 1), first.substr(1, 1)) << "the one that is free again";
}

TEST(HashingSelector, AKeyHasItsNode) {
  for (const char* strategy : {"consistent_hash", "rendezvous"}) {
    const auto selector = std::move(make_selector(strategy).value());
    const NodeList nodes = make_nodes(5);
    const std::string one = turns(*selector, nodes, 20, {.key = "user 7"});
    EXPECT_EQ(one, std::string(20, one[0])) << strategy;
    std::set<std::string> all;
    for (int i = 0; i < 100; ++i) all.insert(turns(*selector, nodes, 1, {.key = "user " + std::to_string(i)}));
    EXPECT_EQ(all.size(), 5U) << strategy;
  }
}

// Calls of which those to "b" fail, one at a time.
std::string turns_where_b_fails(Selector& selector, const NodeList& nodes, int count, TimePoint& now,
                                const Request& request = {}) {
  std::string ids;
  for (int i = 0; i < count; ++i) {
    const Candidate* const candidate = selector.select(nodes, request, now).value();
    const Ticket ticket = selector.begin(nodes, *candidate, now);
    now += std::chrono::milliseconds(1);
    selector.mark(ticket, candidate->node.id == "b" ? Outcome::kFailed : Outcome::kAnswered, now);
    ids += candidate->node.id;
  }
  return ids;
}

TEST(OutlierEjection, ANodeThatFailsIsLeftAloneForAWhile) {
  for (const char* strategy : {"round_robin", "p2c", "least_loaded"}) {
    const auto selector = std::move(make_selector(strategy).value());
    const NodeList nodes = make_nodes(3);
    TimePoint now{std::chrono::hours(1)};
    turns_where_b_fails(*selector, nodes, 200, now);
    EXPECT_EQ(turns_where_b_fails(*selector, nodes, 100, now).find('b'), std::string::npos) << strategy;
    now += std::chrono::minutes(1);
    EXPECT_NE(turns_where_b_fails(*selector, nodes, 100, now).find('b'), std::string::npos)
        << strategy << ": it has another chance";
  }
}

TEST(OutlierEjection, WhenAllFailNobodyIsLeftAlone) {
  const auto selector = std::move(make_selector("round_robin").value());
  const NodeList nodes = make_nodes(3);
  TimePoint now{std::chrono::hours(1)};
  std::set<std::string> ids;
  for (int i = 0; i < 300; ++i) {
    const Candidate* const candidate = selector->select(nodes, {}, now).value();
    const Ticket ticket = selector->begin(nodes, *candidate, now);
    now += std::chrono::milliseconds(1);
    selector->mark(ticket, Outcome::kFailed, now);
    if (i >= 200) ids.insert(candidate->node.id);
  }
  EXPECT_GE(ids.size(), 2U);
}

TEST(OutlierEjection, AFilterThatLeavesNobodyElseIsTold) {
  const auto selector = std::move(make_selector("round_robin").value());
  const NodeList nodes = make_nodes(3);
  TimePoint now{std::chrono::hours(1)};
  turns_where_b_fails(*selector, nodes, 200, now);
  const std::vector<FilterPtr> filters{with_address("10.0.0.2:80")};
  const auto none = selector->select(nodes, {.filters = filters}, now);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kUnavailable);
  EXPECT_EQ(none.error().reason(), "NODES_EJECTED");
  EXPECT_NE(none.error().message().find("tried again in "), std::string::npos) << none.error().message();
}

TEST(MakeSelector, RefusesUnknownStrategies) {
  const auto made = make_selector("fastest");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
  EXPECT_NE(made.error().message().find("round_robin, random"), std::string::npos) << made.error().message();
}

}  // namespace
}  // namespace micro::selector
