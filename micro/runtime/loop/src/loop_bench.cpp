#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include <micro/loop/group.hpp>
#include <micro/loop/loop.hpp>
#include <micro/task/task.hpp>

namespace micro {
namespace {

// Setting and cancelling a deadline while `range` others are pending.
void BM_TimerSetCancel(benchmark::State& state) {
  Loop loop;
  const TimePoint start = Clock::now() + std::chrono::hours(1);
  std::vector<std::unique_ptr<Timer>> pending;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    pending.push_back(std::make_unique<Timer>());
    pending.back()->set(loop, start + std::chrono::microseconds(i), [](void*) {}, nullptr);
  }
  Timer timer;
  std::int64_t i = 0;
  for (auto _ : state) {
    timer.set(loop, start + std::chrono::microseconds(i++ % (state.range(0) + 1)), [](void*) {}, nullptr);
    timer.cancel();
  }
}
BENCHMARK(BM_TimerSetCancel)->Arg(0)->Arg(1'000)->Arg(100'000);

Task<void> yield_many(Loop& loop, benchmark::State& state) {
  for (auto _ : state) co_await loop.yield();
  loop.stop();
}

// Once through the ready queue, its share of the turn included.
void BM_Yield(benchmark::State& state) {
  Loop loop;
  spawn(yield_many(loop, state));
  loop.run();
}
BENCHMARK(BM_Yield);

// A turn that finds nothing to do: what the loop itself adds to an epoll_wait.
void BM_EmptyTurn(benchmark::State& state) {
  Loop loop;
  for (auto _ : state) loop.run_once(Duration::zero());
}
BENCHMARK(BM_EmptyTurn);

Task<void> hop_many(Loop& here, Loop& there, benchmark::State& state) {
  for (auto _ : state) {
    co_await there.schedule();
    co_await here.schedule();
  }
  here.stop();
}

// To another thread's loop and back.
void BM_CrossThreadRoundTrip(benchmark::State& state) {
  LoopGroup group({.size = 1});
  group.start();
  Loop loop;
  loop.post_remote([&] { spawn(hop_many(loop, group.loop(0), state)); });
  loop.run();
}
BENCHMARK(BM_CrossThreadRoundTrip)->UseRealTime();

}  // namespace
}  // namespace micro
