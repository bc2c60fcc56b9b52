#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include <micro/duration/chrono.hpp>

namespace micro {

// Whoever wants to hear of a descriptor: base class of what owns one or watches one.
class EventSource {
 public:
  // `events` are EPOLL... bits. May end its source, and any other one, as long as those say remove() or forget().
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~EventSource() = default;
};

// epoll, one batch of events at a time: a wait in the kernel, then the sources it woke, one by one.
//
// Sources are registered once and edge-triggered, as a rule, so that a request costs no system call beyond its read and its
// write: a source that has read all there is waits for the next edge instead of asking again. Epoll's own rule for that
// (epoll(7), "Q9"): a stream socket that gave less than was asked for is empty, and what arrives later is a new edge.
//
// Thread safety: add(), change() and wake() from any thread; all else on the loop's thread.
class EventQueue {
 public:
  EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;
  ~EventQueue();

  // Both return 0 or an errno.
  int add(int fd, std::uint32_t events, EventSource& source) noexcept;
  int change(int fd, std::uint32_t events, EventSource& source) noexcept;
  // The descriptor stays open; nothing more is heard of it.
  void remove(int fd, EventSource& source) noexcept;
  // The descriptor is about to be closed, which removes it from the kernel's list: drops what the present batch holds for it.
  void forget(EventSource& source) noexcept;

  // Fetches a batch, waiting at most `limit` for one (negative: without limit). Returns whether there is one.
  bool wait(Duration limit);
  // Takes the next of the batch; null at its end.
  EventSource* next(std::uint32_t& events) noexcept;
  // Whether wake() was called since the last time; cleared by asking.
  bool take_woken() noexcept;

  // Ends the present wait(), or the next one.
  void wake() noexcept;

 private:
  static constexpr std::size_t kBatch = 256;

  int epoll_ = -1;
  int wake_ = -1;  // an eventfd, edge-triggered, so that it need not be read
  bool woken_ = false;
  std::size_t at_ = 0;
  std::size_t count_ = 0;
  std::array<epoll_event, kBatch> batch_;
};

}  // namespace micro
