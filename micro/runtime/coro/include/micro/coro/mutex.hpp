#pragma once

#include <micro/coro/semaphore.hpp>

namespace micro {

// Mutual exclusion between coroutines of one loop, across their suspensions; first come, first served. State that is not touched
// across a co_await needs none: nothing else runs on the loop meanwhile.
//
//   auto lock = co_await mutex.lock();
//
// Not recursive. Must outlive its locks and those who wait. Thread safety: one loop.
class Mutex {
 public:
  using Lock = Semaphore::Permit;  // unlocks when destroyed

  Semaphore::Awaiter lock() noexcept { return one_.acquire(); }
  // `Result<Lock> lock = co_await mutex.lock(context)`: the context's error when it is cancelled first.
  Semaphore::CancellableAwaiter lock(Context& context) noexcept { return one_.acquire(context); }
  // An empty lock when somebody else has it.
  Lock try_lock() noexcept { return one_.try_acquire(); }
  bool locked() const noexcept { return one_.available() == 0; }

 private:
  Semaphore one_{1};
};

}  // namespace micro
