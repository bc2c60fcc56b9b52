#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/balance/strategy.hpp>

namespace micro::balance {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Node {
  std::string id;
  std::uint32_t weight = 100;
  std::uint32_t priority = 0;
  std::string zone;
};

inline std::vector<Node> equal(std::size_t count) {
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < count; ++i) nodes.push_back({.id = "node-" + std::to_string(i)});
  return nodes;
}

inline std::vector<Node> weighted(const std::vector<std::uint32_t>& weights) {
  std::vector<Node> nodes = equal(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) nodes[i].weight = weights[i];
  return nodes;
}

inline void assign(Group& group, const std::vector<Node>& nodes, TimePoint now = {}) {
  std::vector<Server> servers;
  for (const Node& node : nodes)
    servers.push_back({.id = node.id, .weight = node.weight, .priority = node.priority, .zone = node.zone});
  group.assign(servers, now);
}

inline std::map<Group::Position, int> count_picks(Strategy& strategy, Group& group, int times) {
  std::map<Group::Position, int> hits;
  for (int i = 0; i < times; ++i) ++hits[strategy.pick(group, {})];
  return hits;
}

// "aab": the first one twice, then the second.
inline std::string letters(Strategy& strategy, Group& group, int times) {
  std::string chosen;
  for (int i = 0; i < times; ++i) chosen += static_cast<char>('a' + strategy.pick(group, {}));
  return chosen;
}

inline std::vector<std::string> names() {
  std::vector<std::string> all;
  const std::string text = strategy_names();
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t comma = rest.find(", ");
    all.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 2);
  }
  return all;
}

}  // namespace micro::balance
