#pragma once

#include <coroutine>
#include <initializer_list>
#include <memory>

#include <micro/loop/loop.hpp>

namespace micro {

// Receives POSIX signals on a loop, outside of signal-handler restrictions.
//
//   Signals signals(loop, {SIGINT, SIGTERM});
//   const int first = co_await signals.next();
//
// Any number of objects may ask for the same signal; each gets it. While at least one exists the default action of the signal is
// off; when the last is gone it is back. A signal that arrives while nobody awaits next() is kept for the next call.
// Cancellation: cancel() and the destructor complete a pending next() with 0, on a later turn. The coroutine that waits must live
// until then. At most one next() may be pending on an object. Thread safety: the loop's thread only (construction: any thread).
class Signals {
 public:
  // Throws std::system_error for a number that is not a signal or cannot be caught.
  Signals(Loop& loop, std::initializer_list<int> signals);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  struct Awaiter {
    Signals& signals;
    std::coroutine_handle<> waiter{};
    int number = 0;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      waiter = handle;
      signals.start(*this);
    }
    int await_resume() const noexcept { return number; }
  };
  // The number of the next signal; 0 after cancel().
  Awaiter next() noexcept { return {*this}; }

  void cancel() noexcept;

 private:
  void start(Awaiter& awaiter);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro
