#include <micro/coro/sleep.hpp>

#include <stdexcept>

#include <micro/coro/deadline.hpp>
#include <micro/coro/waiter.hpp>

namespace micro {
namespace {

Loop& current_loop() {
  if (Loop* loop = Loop::current()) return *loop;
  throw std::logic_error("waiting for a time on a thread that runs no loop: start the coroutine on a Loop");
}

struct SleepAwaiter {
  SleepAwaiter(Duration d, Context* c) noexcept : duration(d), context(c) {}
  Duration duration;
  Context* context;
  Waiter waiter{};
  Timer timer{};

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    Loop& loop = current_loop();
    timer.set(loop, loop.now() + duration, [](void* self) { static_cast<Waiter*>(self)->wake(); }, &waiter);
    waiter.suspend(handle, nullptr, context);
  }
  Result<void> await_resume() {
    timer.cancel();
    return waiter.outcome();
  }
};

}  // namespace

Task<Result<void>> sleep(Context& context, Duration duration) {
  ContextDeadline deadline(context);
  co_return co_await SleepAwaiter(duration, &context);
}

Task<void> sleep_for(Duration duration) { co_await SleepAwaiter(duration, nullptr); }

ContextDeadline::ContextDeadline(Context& context) { watch(context, current_loop()); }

void ContextDeadline::watch(Context& context, Loop& loop) {
  timer_.cancel();
  if (!context.deadline()) return;
  timer_.set(
      loop, *context.deadline(),
      [](void* watched) { static_cast<Context*>(watched)->cancel(deadline_exceeded("the deadline of the call has passed")); },
      &context);
}

}  // namespace micro
