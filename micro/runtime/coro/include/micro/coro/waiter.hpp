#pragma once

#include <coroutine>

#include <micro/context/context.hpp>
#include <micro/task/resume.hpp>

namespace micro {

class WaiterList;

// One suspended coroutine: what every awaitable here is built of, and what own awaitables should be built of. It knows how to be
// woken through the ready queue of its thread (never inside the call stack of whoever wakes it) and how to be woken early when a
// context is cancelled.
//
//   struct Awaiter {
//     bool await_ready() { return done; }
//     void await_suspend(std::coroutine_handle<> handle) { waiter.suspend(handle, &list, &context); }
//     Result<void> await_resume() { return waiter.outcome(); }
//     Waiter waiter; ...
//   };
//
// Woken once per suspend(), by whichever comes first. Destroying it takes it out of its list; a coroutine that has been woken and
// has not run yet must not be destroyed. Thread safety: one loop.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { unlink(); }

  // Remembers `handle`, joins the end of `list` (null: none) and listens to `context` (null: cannot be cancelled). When the
  // context is cancelled already the coroutine is woken at once, so that it resumes in a later step of this turn.
  // Throws std::logic_error on a thread that runs no loop.
  void suspend(std::coroutine_handle<> handle, WaiterList* list = nullptr, Context* context = nullptr);
  // Resumes the coroutine from the ready queue, unless it is awake.
  void wake();
  bool suspended() const noexcept { return static_cast<bool>(handle_); }

  // Whether the context ended the last wait.
  bool cancelled() const noexcept { return cancelled_; }
  // The context's error if it did, success otherwise.
  Result<void> outcome() const;

 private:
  friend class WaiterList;
  void unlink() noexcept;
  static void on_cancel(void* self, const Error& reason);

  std::coroutine_handle<> handle_;
  ReadyQueue* queue_ = nullptr;
  Context* context_ = nullptr;
  WaiterList* list_ = nullptr;
  Waiter* next_ = nullptr;
  Waiter* previous_ = nullptr;
  CancelCallback callback_;
  bool cancelled_ = false;
};

// Waiters in the order they came. Lives in the primitive they wait for, which must outlive them.
class WaiterList {
 public:
  WaiterList() = default;
  WaiterList(const WaiterList&) = delete;
  WaiterList& operator=(const WaiterList&) = delete;

  bool empty() const noexcept { return first_ == nullptr; }
  // Wakes the first; false when there is none.
  bool wake_one();
  void wake_all();

 private:
  friend class Waiter;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

// `co_await until_cancelled(context)`: goes on when the context is cancelled, at once when it is already.
inline auto until_cancelled(Context& context) noexcept {
  struct Awaiter {
    explicit Awaiter(Context& c) noexcept : context(c) {}
    Context& context;
    Waiter waiter{};
    bool await_ready() const noexcept { return context.cancelled(); }
    void await_suspend(std::coroutine_handle<> handle) { waiter.suspend(handle, nullptr, &context); }
    void await_resume() const noexcept {}
  };
  return Awaiter(context);
}

}  // namespace micro
