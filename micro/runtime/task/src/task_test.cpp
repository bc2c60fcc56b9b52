#include <micro/task/task.hpp>

#include <cstring>
#include <deque>
#include <stdexcept>
#include <thread>

namespace micro {
namespace {

// A queue for tests: what a Loop is, without events.
class TestQueue final : public ReadyQueue {
 public:
  TestQueue() { resume_state = {this, 0}; }
  ~TestQueue() override { resume_state = {}; }
  void post(std::coroutine_handle<> handle) override { handles_.push_back(handle); }
  std::size_t run() {
    std::size_t resumed = 0;
    for (; !handles_.empty(); ++resumed) {
      const std::coroutine_handle<> next = handles_.front();
      handles_.pop_front();
      resume_state.depth = 0;
      next.resume();
    }
    return resumed;
  }

 private:
  std::deque<std::coroutine_handle<>> handles_;
};

Task<int> ready(int value) { co_return value; }

template <class T>
Task<void> store(Task<T> task, std::optional<T>& out) {
  out.emplace(co_await std::move(task));
}

// Runs a task that never waits for anything.
template <class T>
T result_of(Task<T> task) {
  std::optional<T> out;
  spawn(store(std::move(task), out));
  return std::move(out.value());
}

struct NoDefault {
  explicit NoDefault(int v) : value(v) {}
  int value;
};

struct Counted {
  explicit Counted(int& c) : count(c) { ++count; }
  Counted(const Counted& other) : count(other.count) { ++count; }
  ~Counted() { --count; }
  int& count;
};

TEST(Task, IsLazyAndRunsOnce) {
  int runs = 0;
  auto body = [](int& n) -> Task<int> { co_return ++n; };
  Task<int> task = body(runs);
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(result_of(std::move(task)), 1);
  EXPECT_FALSE(task);
  EXPECT_EQ(runs, 1);
}

TEST(Task, CarriesAnyKindOfResult) {
  auto move_only = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  EXPECT_EQ(*result_of(move_only()), 7);
  auto no_default = []() -> Task<NoDefault> { co_return NoDefault(8); };
  EXPECT_EQ(result_of(no_default()).value, 8);
  auto converted = []() -> Task<std::string> { co_return "nine"; };
  EXPECT_EQ(result_of(converted()), "nine");
  auto expected = [](bool good) -> Task<std::expected<std::unique_ptr<int>, std::string>> {
    if (!good) co_return std::unexpected("bad");
    co_return std::make_unique<int>(10);
  };
  EXPECT_EQ(**result_of(expected(true)), 10);
  EXPECT_EQ(result_of(expected(false)).error(), "bad");
  auto list = []() -> Task<std::vector<int>> { co_return std::vector<int>{1, 2, 3}; };
  EXPECT_EQ(result_of(list()).size(), 3u);
}

TEST(Task, ExceptionsAppearAtTheAwait) {
  auto thrower = [](bool value) -> Task<int> {
    if (value) throw std::runtime_error("broken");
    co_return 1;
  };
  auto void_thrower = []() -> Task<void> {
    throw std::runtime_error("void");
    co_return;
  };
  auto catcher = [](Task<int> a, Task<void> b) -> Task<std::string> {
    std::string seen;
    try {
      co_await std::move(a);
    } catch (const std::runtime_error& e) {
      seen += e.what();
    }
    try {
      co_await std::move(b);
    } catch (const std::runtime_error& e) {
      seen += e.what();
    }
    co_return seen;
  };
  EXPECT_EQ(result_of(catcher(thrower(true), void_thrower())), "brokenvoid");
}

TEST(Task, AThrowingDestructorAfterTheReturnReplacesTheResult) {
  struct Throws {
    ~Throws() noexcept(false) { throw std::runtime_error("late"); }
  };
  int alive = 0;
  auto body = [](int& count) -> Task<Counted> {
    Throws late;
    co_return Counted(count);
  };
  auto catcher = [](Task<Counted> task) -> Task<std::string> {
    try {
      co_await std::move(task);
    } catch (const std::runtime_error& e) {
      co_return e.what();
    }
    co_return "nothing thrown";
  };
  EXPECT_EQ(result_of(catcher(body(alive))), "late");
  EXPECT_EQ(alive, 0);
}

TEST(Task, FreesWhatItHoldsWhetherAwaitedOrNot) {
  int alive = 0;
  auto body = [](Counted c) -> Task<Counted> { co_return c; };
  {
    Task<Counted> never = body(Counted(alive));
    EXPECT_GT(alive, 0);
    Task<Counted> replaced = body(Counted(alive));
    replaced = std::move(never);
    EXPECT_FALSE(never);
  }
  EXPECT_EQ(alive, 0);
  result_of(body(Counted(alive)));
  EXPECT_EQ(alive, 0);
}

TEST(Task, AMillionReadyAwaitsInALoopKeepTheStackFlat) {
  TestQueue queue;
  auto body = []() -> Task<long> {
    long sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += co_await ready(1);
    co_return sum;
  };
  std::optional<long> sum;
  spawn(store(body(), sum));
  queue.run();
  EXPECT_EQ(sum, 1'000'000);
}

TEST(Task, ADeepChainOfAwaitsKeepsTheStackFlat) {
  TestQueue queue;
  struct Chain {
    static Task<int> of(int depth) {
      if (depth == 0) co_return 0;
      co_return 1 + co_await of(depth - 1);
    }
  };
  std::optional<int> depth;
  spawn(store(Chain::of(100'000), depth));
  EXPECT_FALSE(depth) << "bounced through the queue on the way";
  queue.run();
  EXPECT_EQ(depth, 100'000);
}

TEST(Task, ALongChainGivesOthersTheirTurn) {
  TestQueue queue;
  int steps = 0;
  int steps_when_other_ran = -1;
  auto chain = [](int& count) -> Task<void> {
    for (; count < 10'000; ++count) co_await ready(1);
  };
  auto other = [](const int& count, int& seen) -> Task<void> {
    seen = count;
    co_return;
  };
  spawn(chain(steps));
  EXPECT_LT(steps, static_cast<int>(kMaxInlineResumptions));
  spawn(other(steps, steps_when_other_ran));
  EXPECT_LT(steps_when_other_ran, static_cast<int>(kMaxInlineResumptions));
  queue.run();
  EXPECT_EQ(steps, 10'000);
}

TEST(Spawn, ManyInARowRunBeforeItReturns) {
  TestQueue queue;
  int runs = 0;
  auto body = [](int& n) -> Task<void> { n += co_await ready(1); };
  for (int i = 1; i <= 1'000; ++i) {
    spawn(body(runs));
    ASSERT_EQ(runs, i) << "spawning charges nothing to the budget of the caller";
  }
  EXPECT_EQ(queue.run(), 0u);
}

TEST(FramePool, ReusesFramesOfTheSameClass) {
  for (const std::size_t size : {1u, 64u, 65u, 2048u, 2049u, 100'000u}) {
    void* first = allocate_frame(size);
    std::memset(first, 0xAB, size);
    free_frame(first, size);
    void* second = allocate_frame(size);
    std::memset(second, 0xCD, size);
    free_frame(second, size);
  }
}

TEST(FramePool, TakesFramesOfOtherThreadsAndIsBounded) {
  constexpr std::size_t kSize = 1000;
  std::vector<void*> frames;
  std::thread maker([&] {
    for (int i = 0; i < 5'000; ++i) frames.push_back(allocate_frame(kSize));
  });
  maker.join();
  std::thread user([&] {
    for (void* frame : frames) free_frame(frame, kSize);
    free_frame(allocate_frame(kSize), kSize);
  });
  user.join();
}

TEST(FramePool, FramesFreedWhileAThreadEndsAreNotLost) {
  // Constructed before the pool's own thread-local object, hence destroyed after it.
  struct Late {
    ~Late() {
      if (frame != nullptr) free_frame(frame, 64);
      free_frame(allocate_frame(128), 128);
    }
    void* frame = nullptr;
  };
  std::thread thread([] {
    thread_local Late late;
    late.frame = allocate_frame(64);
    free_frame(allocate_frame(64), 64);
  });
  thread.join();
}

}  // namespace
}  // namespace micro
