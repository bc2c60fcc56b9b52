#include <benchmark/benchmark.h>

#include <deque>

#include <micro/task/task.hpp>

namespace micro {
namespace {

class Queue final : public ReadyQueue {
 public:
  Queue() { resume_state = {this, 0}; }
  ~Queue() override { resume_state = {}; }
  void post(std::coroutine_handle<> handle) override { next_ = handle; }
  void run() {
    while (next_) {
      resume_state.depth = 0;
      std::exchange(next_, {}).resume();
    }
  }

 private:
  std::coroutine_handle<> next_;
};

[[gnu::noinline]] Task<int> ready(int value) { co_return value; }

Task<void> await_many(benchmark::State& state) {
  int value = 0;
  for (auto _ : state) value += co_await ready(1);
  benchmark::DoNotOptimize(value);
}

// Create, await, resume and destroy a task that is ready at once.
void BM_Await(benchmark::State& state) {
  Queue queue;
  spawn(await_many(state));
  queue.run();
}
BENCHMARK(BM_Await);

[[gnu::noinline]] Task<void> handler(int& count) {
  ++count;
  co_return;
}

void BM_Spawn(benchmark::State& state) {
  Queue queue;
  int count = 0;
  for (auto _ : state) spawn(handler(count));
  benchmark::DoNotOptimize(count);
}
BENCHMARK(BM_Spawn);

void BM_Frame(benchmark::State& state) {
  for (auto _ : state) {
    void* frame = allocate_frame(256);
    benchmark::DoNotOptimize(frame);
    free_frame(frame, 256);
  }
}
BENCHMARK(BM_Frame);

}  // namespace
}  // namespace micro
