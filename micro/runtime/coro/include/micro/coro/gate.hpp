#pragma once

#include <cstddef>
#include <utility>

#include <micro/coro/event.hpp>

namespace micro {

// Counts what is under way so that its owner can wait for the end of it: every detached coroutine that refers to an object enters
// that object's gate first, and the object is not destroyed before close() has been awaited.
//
//   Detached serve(Gate::Holder holder, ...);      // holds the gate as long as it runs
//   co_await gate.close();                         // nobody gets in any more; wait for those inside
//
// Must outlive its holders. Thread safety: one loop.
class Gate {
 public:
  Gate() noexcept = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  class [[nodiscard]] Holder {
   public:
    Holder() = default;
    Holder(Holder&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Holder& operator=(Holder&& other) noexcept {
      if (this != &other) {
        leave();
        gate_ = std::exchange(other.gate_, nullptr);
      }
      return *this;
    }
    ~Holder() { leave(); }
    void leave() noexcept {
      if (Gate* gate = std::exchange(gate_, nullptr)) gate->leave();
    }
    explicit operator bool() const noexcept { return gate_ != nullptr; }

   private:
    friend class Gate;
    explicit Holder(Gate& gate) noexcept : gate_(&gate) {}
    Gate* gate_ = nullptr;
  };

  // Throws std::logic_error after close(): for those who know that it is open.
  Holder enter();
  // An empty holder after close().
  Holder try_enter() noexcept {
    if (closed_) return Holder();
    ++inside_;
    return Holder(*this);
  }

  // Shuts the gate at once; `co_await` it to wait until everybody has left. May be called and awaited several times.
  Event::Awaiter close() {
    closed_ = true;
    if (inside_ == 0) empty_.set();
    return empty_.wait();
  }
  bool closed() const noexcept { return closed_; }
  std::size_t inside() const noexcept { return inside_; }

 private:
  void leave() {
    if (--inside_ == 0 && closed_) empty_.set();
  }
  bool closed_ = false;
  std::size_t inside_ = 0;
  Event empty_;
};

}  // namespace micro
