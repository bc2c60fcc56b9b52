#pragma once

#include <cstddef>

#include <micro/loop/loop.hpp>

namespace micro::rpc {

// Something long-lived that wants to be asked now and then whether it is still in use, and to be told when the server stops.
class Heartbeat {
 public:
  Heartbeat() noexcept = default;
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  // May end in the destruction of this object, but of no other.
  virtual void beat() = 0;
  virtual void drain() {}

 protected:
  ~Heartbeat() { unlink(); }

 private:
  friend class Heartbeats;
  void unlink() noexcept;
  class Heartbeats* owner_ = nullptr;
  Heartbeat* next_ = this;
  Heartbeat* previous_ = this;
};

// All of them on one loop: one timer, which runs while there are any.
class Heartbeats {
 public:
  Heartbeats(Loop& loop, Duration interval) noexcept : loop_(loop), interval_(interval) {}
  void add(Heartbeat& heartbeat);
  void drain();

 private:
  friend class Heartbeat;
  struct Anchor final : Heartbeat {
    void beat() override {}
  };
  void arm();
  void beat();
  template <class F>
  void for_each(F action);

  Loop& loop_;
  Duration interval_;
  Timer timer_;
  Anchor anchor_;
  std::size_t size_ = 0;
  bool draining_ = false;
};

}  // namespace micro::rpc
