#pragma once

#include <coroutine>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include <micro/task/resume.hpp>

namespace micro {

template <class T>
class Task;

namespace detail {

struct TaskPromiseBase : PooledFrame {
  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return transfer(self.promise().continuation);
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }

  std::coroutine_handle<> continuation = std::noop_coroutine();
};

template <class T>
struct TaskPromise : TaskPromiseBase {
  enum class State : unsigned char { kEmpty, kValue, kException };
  TaskPromise() noexcept {}
  ~TaskPromise() {
    if (state == State::kValue) value.~T();
    if (state == State::kException) exception.~exception_ptr();
  }
  Task<T> get_return_object() noexcept;
  template <class U = T>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& result) {
    ::new (static_cast<void*>(&value)) T(std::forward<U>(result));
    state = State::kValue;
  }
  void unhandled_exception() noexcept {
    if (state == State::kValue) value.~T();  // a destructor threw after the co_return
    ::new (static_cast<void*>(&exception)) std::exception_ptr(std::current_exception());
    state = State::kException;
  }
  T take() {
    if (state == State::kException) std::rethrow_exception(exception);
    return std::move(value);
  }
  union {
    T value;
    std::exception_ptr exception;
  };
  State state = State::kEmpty;
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { exception = std::current_exception(); }
  void take() {
    if (exception) std::rethrow_exception(exception);
  }
  std::exception_ptr exception;
};

}  // namespace detail

// A coroutine that starts when it is awaited and gives its result to the one who awaits it.
//
//   Task<Result<int>> answer(Context& context);
//   Result<int> r = co_await answer(context);
//
// Lazy: a Task that is never awaited never runs. It is awaited once; destroying it earlier frees it and everything it holds.
// References passed as arguments must outlive it: pass named objects, never temporaries, to a task that is kept for later.
// An exception thrown inside appears at the co_await; it means a broken contract, what may fail in normal life is a Result.
//
// Runs wherever it is resumed: awaiting a Task never changes threads by itself. Use spawn() to start one that nobody awaits.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;

  Task() noexcept = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

  struct Awaiter {
    std::coroutine_handle<promise_type> handle;
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) const noexcept {
      handle.promise().continuation = caller;
      return transfer(handle);
    }
    T await_resume() const { return handle.promise().take(); }
  };
  Awaiter operator co_await() const& noexcept { return {handle_}; }
  Awaiter operator co_await() && noexcept { return {handle_}; }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> detail::TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> detail::TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

// A coroutine nobody awaits: starts at once, frees itself at its end. An exception that leaves it ends the program, because
// there is nobody left to tell. Whoever starts one sees to it that what it refers to lives long enough: see Gate.
struct Detached {
  struct promise_type : PooledFrame {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

// Starts `task` on the calling thread and lets it go; it runs until its first suspension before spawn() returns (or until it has
// used up the budget of inline resumptions, see resume.hpp).
Detached spawn(Task<void> task);

}  // namespace micro
