#include <benchmark/benchmark.h>

#include <micro/selector/selector.hpp>

namespace micro::selector {
namespace {

NodeList make_nodes(int count) {
  NodeList nodes{.service = "greeter"};
  for (int i = 0; i < count; ++i) {
    nodes.candidates.push_back({.node = {.id = "greeter-" + std::to_string(i), .address = "10.0.0.1:80"}, .version = "v1"});
  }
  return nodes;
}

// The path of a call: no filter, nothing tried. To stay below 50 ns.
void select_plain(benchmark::State& state, const char* strategy) {
  const auto selector = std::move(make_selector(strategy).value());
  const NodeList nodes = make_nodes(3);
  for (auto _ : state) benchmark::DoNotOptimize(selector->select(nodes, {}, TimePoint{}));
}
BENCHMARK_CAPTURE(select_plain, round_robin, "round_robin");
BENCHMARK_CAPTURE(select_plain, random, "random");

void select_filtered(benchmark::State& state) {
  const auto selector = std::move(make_selector("round_robin").value());
  const NodeList nodes = make_nodes(static_cast<int>(state.range(0)));
  const std::vector<FilterPtr> filters{with_version("v1")};
  const std::vector<std::string> tried{"greeter-1"};
  for (auto _ : state) benchmark::DoNotOptimize(selector->select(nodes, {.filters = filters, .tried = tried}, TimePoint{}));
}
BENCHMARK(select_filtered)->Arg(3)->Arg(50);

}  // namespace
}  // namespace micro::selector
