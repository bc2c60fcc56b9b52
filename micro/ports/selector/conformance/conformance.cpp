#include <micro/selector/conformance.hpp>

#include <set>

namespace micro::selector::conformance {

std::string subject_name(const testing::TestParamInfo<Subject>& info) { return info.param.name; }

NodeList make_nodes(int count, const std::string& service) {
  NodeList nodes{.service = service};
  for (int i = 0; i < count; ++i) {
    registry::Node node{.id = std::string(1, static_cast<char>('a' + i)),
                        .address = "10.0.0." + std::to_string(i + 1) + ":80",
                        .metadata = {{"zone", i < 2 ? "eu" : "us"}}};
    nodes.candidates.push_back({.node = std::move(node), .version = i % 2 == 0 ? "v1" : "v2"});
  }
  return nodes;
}

std::string SelectorConformance::choose(const NodeList& nodes, const Request& request) {
  const auto candidate = selector_->select(nodes, request, now_);
  if (!candidate) return candidate.error().to_string();
  const auto* first = nodes.candidates.data();
  EXPECT_TRUE(*candidate >= first && *candidate < first + nodes.candidates.size()) << "the chosen one must belong to the list";
  const Ticket ticket = selector_->begin(nodes, **candidate, now_);
  now_ += std::chrono::milliseconds(1);
  selector_->mark(ticket, Outcome::kAnswered, now_);
  return (*candidate)->node.id;
}

std::vector<std::string> SelectorConformance::chosen(const NodeList& nodes, int times, const Request& request) {
  std::set<std::string> ids;
  for (int i = 0; i < times; ++i) ids.insert(choose(nodes, request));
  return {ids.begin(), ids.end()};
}

namespace {

using Ids = std::vector<std::string>;

// Enough for any sensible choice among a few to have met each of them.
constexpr int kMany = 400;

TEST_P(SelectorConformance, AnEmptyListIsNotFound) {
  const auto none = selector_->select({.service = "greeter"}, {}, now_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kNotFound);
  EXPECT_NE(none.error().message().find("no node of service \"greeter\""), std::string::npos) << none.error().message();
}

TEST_P(SelectorConformance, OneNodeIsChosenAlways) { EXPECT_EQ(chosen(make_nodes(1), 10), Ids{"a"}); }

TEST_P(SelectorConformance, EveryNodeGetsItsShare) { EXPECT_EQ(chosen(make_nodes(4), kMany), (Ids{"a", "b", "c", "d"})); }

TEST_P(SelectorConformance, ListsMayChangeFromCallToCall) {
  for (const int count : {4, 1, 3, 2, 5}) EXPECT_EQ(chosen(make_nodes(count), kMany).size(), static_cast<std::size_t>(count));
  EXPECT_EQ(selector_->select(make_nodes(0), {}, now_).error().code(), Code::kNotFound);
  EXPECT_EQ(choose(make_nodes(1)), "a");
}

TEST_P(SelectorConformance, FiltersAreObeyedTogether) {
  const std::vector<FilterPtr> version{with_version("v1")};
  const std::vector<FilterPtr> both{with_version("v1"), with_label("zone", "us")};
  EXPECT_EQ(chosen(make_nodes(4), kMany, {.filters = version}), (Ids{"a", "c"}));
  EXPECT_EQ(chosen(make_nodes(4), kMany, {.filters = both}), Ids{"c"});
}

TEST_P(SelectorConformance, NothingLeftNamesTheFilters) {
  const std::vector<FilterPtr> filters{with_version("v9"), with_label("zone", "us")};
  const auto none = selector_->select(make_nodes(3), {.filters = filters}, now_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kFailedPrecondition);
  EXPECT_NE(none.error().message().find("all 3 nodes of \"greeter\" were filtered out by version = v9, zone = us"),
            std::string::npos)
      << none.error().message();
}

TEST_P(SelectorConformance, TriedNodesAreAvoidedWhileThereIsAnother) {
  const std::vector<std::string> one{"b"};
  const std::vector<std::string> two{"b", "a"};
  const std::vector<std::string> all{"b", "a", "c"};
  const std::vector<std::string> strangers{"x", "y"};
  EXPECT_EQ(chosen(make_nodes(3), kMany, {.tried = one}), (Ids{"a", "c"}));
  EXPECT_EQ(chosen(make_nodes(3), kMany, {.tried = two}), Ids{"c"});
  EXPECT_EQ(chosen(make_nodes(3), kMany, {.tried = all}), (Ids{"a", "b", "c"}));
  EXPECT_EQ(chosen(make_nodes(3), kMany, {.tried = strangers}), (Ids{"a", "b", "c"}));
}

TEST_P(SelectorConformance, FiltersGoBeforeTried) {
  const std::vector<FilterPtr> filters{with_version("v1")};
  const std::vector<std::string> first{"a"};
  const std::vector<std::string> both{"a", "c"};
  EXPECT_EQ(chosen(make_nodes(4), kMany, {.filters = filters, .tried = first}), Ids{"c"});
  EXPECT_EQ(chosen(make_nodes(4), kMany, {.filters = filters, .tried = both}), (Ids{"a", "c"}));
}

TEST_P(SelectorConformance, ServicesAreIndependent) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(choose(make_nodes(1, "small")), "a");
    EXPECT_EQ(choose(make_nodes(4, "large")).size(), 1u);
  }
  EXPECT_EQ(chosen(make_nodes(4, "large"), kMany).size(), 4u);
}

TEST_P(SelectorConformance, OutcomesAndResetsAreAlwaysWelcome) {
  const NodeList nodes = make_nodes(3);
  selector_->reset("never seen");
  for (int i = 0; i < 20; ++i) {
    const auto candidate = selector_->select(nodes, {}, now_);
    ASSERT_TRUE(candidate);
    const Ticket ticket = selector_->begin(nodes, **candidate, now_);
    now_ += std::chrono::milliseconds(i);
    selector_->mark(ticket, static_cast<Outcome>(i % 3), now_);
  }
  const Ticket forgotten = selector_->begin(nodes, nodes.candidates.front(), now_);
  selector_->reset("greeter");
  selector_->mark(forgotten, Outcome::kFailed, now_);
  now_ += std::chrono::hours(1);
  EXPECT_EQ(chosen(nodes, kMany), (Ids{"a", "b", "c"}));
}

}  // namespace
}  // namespace micro::selector::conformance
