#pragma once

#include <coroutine>
#include <cstddef>

#include <micro/duration/chrono.hpp>

namespace micro {

class Loop;

// Calls a function once at a point in time, on its loop. Setting and cancelling cost O(log n) with a small constant, no system
// call and no allocation in steady state. Lives in its owner; destroying it cancels it.
//
// Precision: fires in the first turn at or after its time; never early.
// Thread safety: the loop's thread only.
class Timer {
 public:
  using Function = void (*)(void* argument);

  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  // (Re)arms the timer; a pending one is replaced. The timer may be re-armed or destroyed from inside `function`.
  void set(Loop& loop, TimePoint when, Function function, void* argument);
  // Harmless when it is not pending.
  void cancel() noexcept;
  bool pending() const noexcept { return slot_ != kIdle; }
  TimePoint when() const noexcept { return when_; }

 private:
  friend struct TimerHeap;
  static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);
  Loop* loop_ = nullptr;
  std::size_t slot_ = kIdle;  // place in the loop's heap
  TimePoint when_{};
  Function function_ = nullptr;
  void* argument_ = nullptr;
};

}  // namespace micro
