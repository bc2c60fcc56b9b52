#pragma once

#include <coroutine>

#include <micro/coro/waiter.hpp>

namespace micro {

// Something that happens and stays so until reset(): any number of coroutines wait for it.
//
// Must outlive those who wait. Thread safety: one loop.
class Event {
 public:
  bool is_set() const noexcept { return set_; }
  // Wakes everybody who waits; they go on even when reset() follows at once.
  void set() {
    set_ = true;
    waiters_.wake_all();
  }
  void reset() noexcept { set_ = false; }

  struct Awaiter {
    explicit Awaiter(Event& e, Context* c = nullptr) noexcept : event(e), context(c) {}
    Event& event;
    Context* context;
    Waiter waiter{};
    bool await_ready() const noexcept { return event.set_; }
    void await_suspend(std::coroutine_handle<> handle) { waiter.suspend(handle, &event.waiters_, context); }
    void await_resume() const noexcept {}
  };
  struct CancellableAwaiter : Awaiter {
    using Awaiter::Awaiter;
    Result<void> await_resume() const { return waiter.outcome(); }
  };

  // `co_await event.wait()`
  Awaiter wait() noexcept { return Awaiter(*this); }
  // `Result<void> r = co_await event.wait(context)`: the context's error when it is cancelled first.
  CancellableAwaiter wait(Context& context) noexcept { return CancellableAwaiter(*this, &context); }

 private:
  bool set_ = false;
  WaiterList waiters_;
};

}  // namespace micro
