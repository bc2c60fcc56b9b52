#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <micro/loop/loop.hpp>

namespace micro {

// Threads for work that blocks or computes for long, away from the loops.
//
//   auto work = [&] { return bcrypt(password); };
//   auto hash = co_await pool.run(work);
//
// The coroutine goes on on the loop it came from, which must outlive the work. The queue has no bound: queued() tells how long it
// is, so that servers can shed load. Destroying the pool finishes what is queued, then joins its threads.
//
// Cancellation: work that has been handed over runs to its end; the function may ask context.cancelled() now and then.
// Thread safety: run() from any loop's thread, post() and queued() from any thread.
class OffloadPool {
 public:
  struct Options {
    // Threads, started when first needed. Blocking work wants many, computing work no more than there are processors.
    std::size_t threads = 4;
    std::string name = "offload";
  };

  OffloadPool();
  explicit OffloadPool(Options options);
  OffloadPool(const OffloadPool&) = delete;
  OffloadPool& operator=(const OffloadPool&) = delete;
  ~OffloadPool();

  // Work waiting for a thread.
  std::size_t queued() const noexcept;

  // Runs `function(argument)` on one of the threads; nobody is told when it is done.
  void post(void (*function)(void*), void* argument);

  // Awaitable; the result is what `function` returns, an exception it throws appears at the co_await. Awaiting it on a thread
  // that runs no loop throws std::logic_error: there would be nowhere to go on.
  template <class F>
  auto run(F function) {
    using R = std::invoke_result_t<F&>;
    struct Awaiter {
      OffloadPool& pool;
      F function;
      std::exception_ptr exception{};
      std::conditional_t<std::is_void_v<R>, bool, std::optional<R>> result{};
      Loop* loop = nullptr;
      std::coroutine_handle<> waiter{};
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> handle) {
        loop = &current_loop();
        waiter = handle;
        pool.post([](void* self) { static_cast<Awaiter*>(self)->work(); }, this);
      }
      void work() noexcept {
        try {
          if constexpr (std::is_void_v<R>)
            function();
          else
            result.emplace(function());
        } catch (...) {
          exception = std::current_exception();
        }
        loop->post_remote([](void* address) { std::coroutine_handle<>::from_address(address).resume(); }, waiter.address());
      }
      R await_resume() {
        if (exception) std::rethrow_exception(exception);
        if constexpr (!std::is_void_v<R>) return std::move(*result);
      }
    };
    return Awaiter{*this, std::move(function)};
  }

 private:
  static Loop& current_loop();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The pool of the process for occasional blocking calls (name resolution, files); made when first used and never destroyed, so
// that a name server that does not answer cannot delay the end of the program.
OffloadPool& default_offload_pool();

// `co_await offload(work)` on the default pool.
template <class F>
auto offload(F function) {
  return default_offload_pool().run(std::move(function));
}

}  // namespace micro
