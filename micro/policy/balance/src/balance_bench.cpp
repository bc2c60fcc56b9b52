#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include <micro/balance/strategy.hpp>

namespace micro::balance {
namespace {

enum class Weights { kEqual, kFew, kAllDifferent };

void assign(Group& group, std::size_t count, Weights weights) {
  std::vector<std::string> ids;
  std::vector<Server> servers;
  for (std::size_t i = 0; i < count; ++i) ids.push_back("greeter-" + std::to_string(i));
  for (std::size_t i = 0; i < count; ++i) {
    const auto different = static_cast<std::uint32_t>(i + 1);
    servers.push_back({.id = ids[i],
                       .weight = weights == Weights::kEqual ? 100
                                 : weights == Weights::kFew ? 1 + different % 5
                                                            : different});
  }
  group.assign(servers, TimePoint());
}

// A choice, and that a call begins and ends. To stay below 100 ns.
void pick(benchmark::State& state, const char* name, Weights weights) {
  Group group({}, 1);
  assign(group, static_cast<std::size_t>(state.range(0)), weights);
  const auto strategy = make_strategy(name).value();
  TimePoint now{};
  Dice keys(2);
  // Some calls are under way.
  std::vector<Group::Slot> calls(64);
  for (Group::Slot& call : calls) call = group.begin(strategy->pick(group, {.now = now, .key = keys.next()}), now);
  // What is made when it is first needed is no part of a choice: every owner of rendezvous, for example.
  for (int i = 0; i < 1 << 20; ++i) strategy->pick(group, {.now = now, .key = keys.next()});
  std::size_t next = 0;
  for (auto _ : state) {
    now += std::chrono::microseconds(1);
    group.abandon(calls[next], now);
    calls[next] = group.begin(strategy->pick(group, {.now = now, .key = keys.next()}), now);
    next = (next + 1) % calls.size();
  }
}
BENCHMARK_CAPTURE(pick, round_robin, "round_robin", Weights::kEqual)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(pick, random, "random", Weights::kEqual)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(pick, weighted_equal, "weighted_round_robin", Weights::kEqual)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(pick, weighted_few, "weighted_round_robin", Weights::kFew)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(pick, weighted_different, "weighted_round_robin", Weights::kAllDifferent)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(pick, p2c, "p2c", Weights::kEqual)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(pick, least_loaded, "least_loaded", Weights::kEqual)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(pick, consistent_hash, "consistent_hash", Weights::kEqual)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(pick, rendezvous, "rendezvous", Weights::kEqual)->Arg(10)->Arg(1000);

// What the end of a call costs when averages are kept.
void end_of_call(benchmark::State& state) {
  Group group;
  assign(group, 1000, Weights::kEqual);
  group.learn_lag();
  TimePoint now{};
  Group::Position position = 0;
  for (auto _ : state) {
    position = position + 1 < 1000 ? position + 1 : 0;
    now += std::chrono::microseconds(1);
    group.end(group.begin(position, now), now, now + std::chrono::microseconds(50), false);
  }
}
BENCHMARK(end_of_call);

// The list changes: one server leaves, one comes.
void change(benchmark::State& state, const char* name) {
  const auto strategy = make_strategy(name).value();
  Group group;
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    assign(group, count, Weights::kEqual);
    benchmark::DoNotOptimize(strategy->pick(group, {.key = 1}));
    assign(group, count - 1, Weights::kEqual);
    benchmark::DoNotOptimize(strategy->pick(group, {.key = 1}));
  }
}
BENCHMARK_CAPTURE(change, round_robin, "round_robin")->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(change, weighted_round_robin, "weighted_round_robin")->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(change, consistent_hash, "consistent_hash")->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace micro::balance
