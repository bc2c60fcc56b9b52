#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <utility>

#include <micro/coro/waiter.hpp>

namespace micro {

// A number of permits; whoever wants one when none is left waits, first come, first served. A permit that is given back goes
// straight to the first who waits, so nobody can overtake.
//
// Must outlive its permits and those who wait. Thread safety: one loop.
class Semaphore {
 public:
  explicit Semaphore(std::size_t permits) noexcept : available_(permits) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // One permit; given back by release() or the destructor.
  class [[nodiscard]] Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      if (this != &other) {
        release();
        owner_ = std::exchange(other.owner_, nullptr);
      }
      return *this;
    }
    ~Permit() { release(); }
    void release() noexcept {
      if (Semaphore* owner = std::exchange(owner_, nullptr)) owner->give_back();
    }
    explicit operator bool() const noexcept { return owner_ != nullptr; }

   private:
    friend class Semaphore;
    explicit Permit(Semaphore& owner) noexcept : owner_(&owner) {}
    Semaphore* owner_ = nullptr;
  };

  struct Awaiter {
    explicit Awaiter(Semaphore& s, Context* c = nullptr) noexcept : semaphore(s), context(c) {}
    Semaphore& semaphore;
    Context* context;
    Waiter waiter{};
    bool await_ready() const noexcept { return semaphore.take(); }
    void await_suspend(std::coroutine_handle<> handle) { waiter.suspend(handle, &semaphore.waiters_, context); }
    Permit await_resume() const noexcept { return Permit(semaphore); }
  };
  struct CancellableAwaiter : Awaiter {
    using Awaiter::Awaiter;
    Result<Permit> await_resume() const {
      if (waiter.cancelled()) return std::unexpected(waiter.outcome().error());
      return Permit(semaphore);
    }
  };

  // `Permit permit = co_await semaphore.acquire()`
  Awaiter acquire() noexcept { return Awaiter(*this); }
  // `Result<Permit> permit = co_await semaphore.acquire(context)`: the context's error when it is cancelled first.
  CancellableAwaiter acquire(Context& context) noexcept { return CancellableAwaiter(*this, &context); }
  // An empty permit when none is left.
  Permit try_acquire() noexcept { return take() ? Permit(*this) : Permit(); }

  std::size_t available() const noexcept { return available_; }

 private:
  bool take() noexcept {
    if (available_ == 0) return false;
    --available_;
    return true;
  }
  void give_back() {
    if (!waiters_.wake_one()) ++available_;
  }
  std::size_t available_;
  WaiterList waiters_;
};

}  // namespace micro
