#include <micro/offload/offload.hpp>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include <micro/task/task.hpp>

namespace micro {
namespace {

struct Outcome {
  int value = 0;
  bool elsewhere = false;
  bool back = false;
};

TEST(Offload, RunsElsewhereAndComesBack) {
  Loop loop;
  OffloadPool pool({.threads = 2, .name = "test"});
  Outcome outcome;
  auto body = [](Loop& l, OffloadPool& p, Outcome& out) -> Task<void> {
    co_await l.schedule();
    const std::thread::id here = std::this_thread::get_id();
    auto work = [&] {
      out.elsewhere = std::this_thread::get_id() != here && Loop::current() == nullptr;
      return std::make_unique<int>(42);
    };
    std::unique_ptr<int> result = co_await p.run(work);
    out.value = *result;
    out.back = Loop::current() == &l;
    auto nothing = [] {};
    co_await p.run(nothing);
    l.stop();
  };
  spawn(body(loop, pool, outcome));
  loop.run();
  EXPECT_TRUE(outcome.elsewhere && outcome.back);
  EXPECT_EQ(outcome.value, 42);
}

TEST(Offload, ExceptionsComeBack) {
  Loop loop;
  std::string what;
  auto body = [](Loop& l, std::string& out) -> Task<void> {
    co_await l.schedule();
    auto work = []() -> int { throw std::runtime_error("no disk"); };
    try {
      co_await offload(work);
    } catch (const std::runtime_error& e) {
      out = e.what();
    }
    l.stop();
  };
  spawn(body(loop, what));
  loop.run();
  EXPECT_EQ(what, "no disk");
}

TEST(Offload, WithoutALoopItIsABrokenContract) {
  OffloadPool pool;
  bool thrown = false;
  auto body = [](OffloadPool& p, bool& out) -> Task<void> {
    auto work = [] {};
    try {
      co_await p.run(work);
    } catch (const std::logic_error&) {
      out = true;
    }
  };
  spawn(body(pool, thrown));
  EXPECT_TRUE(thrown);
}

TEST(Offload, WorkBeyondTheThreadsWaitsAndIsCounted) {
  std::latch started(2);
  std::latch release(1);
  std::atomic<int> done = 0;
  struct Shared {
    std::latch& started;
    std::latch& release;
    std::atomic<int>& done;
  } shared{started, release, done};
  {
    OffloadPool pool({.threads = 2});
    for (int i = 0; i < 2; ++i) {
      pool.post(
          [](void* argument) {
            auto& s = *static_cast<Shared*>(argument);
            s.started.count_down();
            s.release.wait();
            ++s.done;
          },
          &shared);
    }
    started.wait();
    for (int i = 0; i < 5; ++i) pool.post([](void* argument) { ++static_cast<Shared*>(argument)->done; }, &shared);
    EXPECT_EQ(pool.queued(), 5u);
    release.count_down();
  }
  EXPECT_EQ(done, 7) << "the destructor finishes what is queued";
}

TEST(Offload, ManyCoroutinesOfSeveralLoops) {
  OffloadPool pool({.threads = 3});
  std::vector<std::thread> threads;
  std::atomic<int> sum = 0;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      Loop loop;
      int left = 200;
      auto body = [](Loop& l, OffloadPool& p, std::atomic<int>& total, int& todo) -> Task<void> {
        co_await l.schedule();
        auto work = [] { return 1; };
        total += co_await p.run(work);
        if (--todo == 0) l.stop();
      };
      for (int i = 0; i < 200; ++i) spawn(body(loop, pool, sum, left));
      loop.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 400);
}

}  // namespace
}  // namespace micro
