#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <micro/duration/chrono.hpp>
#include <micro/loop/timer.hpp>
#include <micro/task/resume.hpp>

namespace micro {

// What a loop counts. Plain numbers, read by the metrics layer; written by the loop alone.
struct LoopCounters {
  std::uint64_t turns = 0;    // times the loop woke up and worked
  std::uint64_t resumed = 0;  // coroutines taken from the ready queue
  std::uint64_t posted = 0;   // functions that came in from other threads
  std::uint64_t timers = 0;   // timers that fired
  std::uint64_t lags = 0;     // turns longer than the lag threshold
  std::int64_t longest_turn_ns = 0;
};

// Told when one turn of a loop took longer than the threshold: somebody blocked the loop. Called on the loop's thread after the
// turn, so it must be quick.
class LagObserver {
 public:
  virtual ~LagObserver() = default;
  virtual void on_lag(const std::string& loop_name, Duration turn) = 0;
};

// Work to be done at the end of the present turn, once, however often it was asked for: a connection uses it to write
// everything its requests produced in one go. Lives in its owner; leaves the loop when destroyed.
class Deferred {
 public:
  using Function = void (*)(void* argument);
  Deferred(Function function, void* argument) noexcept : function_(function), argument_(argument) {}
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  ~Deferred();

 private:
  friend class Loop;
  Function function_;
  void* argument_;
  class Loop* loop_ = nullptr;
  Deferred* next_ = nullptr;
  Deferred* previous_ = nullptr;
};

// One thread's event loop: sockets, timers, coroutines that are ready, and functions from other threads. Everything that belongs
// to a connection or a call stays on one loop; nothing on it takes a lock. Nobody may block it: see offload().
//
// A turn: wait for events, run what they made ready, run the ready queue, run the deferred work, write. now() is read once a
// turn and after each wait.
//
// Thread safety: post_remote(), stop() and name() may be used from any thread; all else only on the loop's own thread (or, before
// run(), by the thread that made it). Destroying a loop frees queued functions without running them.
class Loop final : public ReadyQueue {
 public:
  struct Options {
    std::string name = "loop";
    // A turn longer than this counts as lag and is reported. Raise it on machines that are short of processor time.
    Duration lag_threshold = std::chrono::milliseconds(100);
    // Not owned; must outlive the loop. Null: lag is only counted.
    LagObserver* lag_observer = nullptr;
  };

  Loop();
  explicit Loop(Options options);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() override;

  // The loop that runs on the calling thread, or nullptr.
  static Loop* current() noexcept;

  // Runs until stop(). May be called again afterwards.
  void run();
  // Runs what is ready now and what becomes ready within `wait`; returns whether anything was done. For tests and tools.
  bool run_once(Duration wait);
  // Makes run() return after the present turn. From any thread, also before run().
  void stop();

  // The time of this turn: cheap, and good enough for deadlines and timers.
  TimePoint now() const noexcept;

  void post(std::coroutine_handle<> handle) override;

  // Runs `function(argument)` on this loop; from any thread. Order between posts of one thread is kept.
  void post_remote(void (*function)(void*), void* argument);
  // The same for any callable that can be moved; it is destroyed on the loop.
  template <class F>
  void post_remote(F&& function) {
    using Callable = std::decay_t<F>;
    auto* owned = new Callable(std::forward<F>(function));
    post_owned(
        [](void* p, bool run) {
          std::unique_ptr<Callable> callable(static_cast<Callable*>(p));
          if (run) (*callable)();
        },
        owned);
  }

  // Runs `work` at the end of this turn; asking again before that changes nothing.
  void defer(Deferred& work) noexcept;

  // `co_await loop.schedule()` goes on on this loop, from whichever thread: at once when it is there already.
  auto schedule() noexcept {
    struct Awaiter {
      Loop& loop;
      bool await_ready() const noexcept { return Loop::current() == &loop; }
      void await_suspend(std::coroutine_handle<> handle) const {
        loop.post_remote([](void* address) { std::coroutine_handle<>::from_address(address).resume(); }, handle.address());
      }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }
  // `co_await loop.yield()` lets everything else that is ready go first.
  auto yield() noexcept {
    struct Awaiter {
      Loop& loop;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> handle) const { loop.post(handle); }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }

  const std::string& name() const noexcept;
  const LoopCounters& counters() const noexcept;

  // The event library underneath, for the sources of runtime alone.
  struct Impl;
  Impl& impl() noexcept { return *impl_; }

 private:
  friend class Timer;
  friend class Deferred;
  void post_owned(void (*function)(void*, bool), void* argument);
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro
