#include <benchmark/benchmark.h>

#include <micro/coro/block_on.hpp>
#include <micro/registry/cache.hpp>
#include <micro/registry/memory.hpp>

namespace micro::registry {
namespace {

// The path of a call when nothing has changed: a hash lookup and one atomic load.
void view_get(benchmark::State& state) {
  Loop loop;
  Context context;
  const auto registry = std::make_shared<Memory>();
  Cache cache(registry);
  cache.start(loop);
  const Service service{.name = "greeter", .version = "v1", .nodes = {{.id = "greeter-1", .address = "10.0.0.1:80"}}};
  const RegisterOptions options;
  bool ready = block_on(loop, registry->register_service(context, service, options)).has_value();
  ready = ready && block_on(loop, cache.lookup(context, "greeter")).has_value();
  if (!ready) return state.SkipWithError("the registry did not answer");
  {
    Cache::View view(cache);
    for (auto _ : state) benchmark::DoNotOptimize(view.get("greeter"));
  }
  block_on(loop, cache.stop());
}
BENCHMARK(view_get);

}  // namespace
}  // namespace micro::registry
