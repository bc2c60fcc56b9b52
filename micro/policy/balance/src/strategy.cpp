#include <micro/balance/strategy.hpp>

#include <array>
#include <string>

namespace micro::balance {
namespace {

struct Known {
  std::string_view name;
  std::unique_ptr<Strategy> (*make)(const StrategyOptions&);
};

constexpr std::array<Known, 7> kStrategies{{
    {"round_robin", [](const StrategyOptions&) { return round_robin(); }},
    {"random", [](const StrategyOptions&) { return random(); }},
    {"weighted_round_robin", [](const StrategyOptions&) { return weighted_round_robin(); }},
    {"p2c", [](const StrategyOptions& options) { return p2c(options); }},
    {"least_loaded", [](const StrategyOptions&) { return least_loaded(); }},
    {"consistent_hash", [](const StrategyOptions& options) { return consistent_hash(options); }},
    {"rendezvous", [](const StrategyOptions&) { return rendezvous(); }},
}};

}  // namespace

std::string strategy_names() {
  std::string names;
  for (const Known& known : kStrategies) names.append(names.empty() ? "" : ", ").append(known.name);
  return names;
}

Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name, const StrategyOptions& options) {
  for (const Known& known : kStrategies) {
    if (known.name == name) return known.make(options);
  }
  return fail(invalid_argument("no balancing strategy \"" + std::string(name) + "\": known are " + strategy_names()));
}

}  // namespace micro::balance
