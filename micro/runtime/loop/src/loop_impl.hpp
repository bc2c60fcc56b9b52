#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include <micro/loop/loop.hpp>

#include "event_queue.hpp"
#include "timer_heap.hpp"

namespace micro {

// Coroutines waiting for their turn: a ring that grows and keeps its memory.
class ReadyRing {
 public:
  bool empty() const noexcept { return size_ == 0; }
  void push(std::coroutine_handle<> handle) {
    if (size_ == slots_.size()) grow();
    slots_[(first_ + size_++) & (slots_.size() - 1)] = handle;
  }
  std::coroutine_handle<> pop() noexcept {
    std::coroutine_handle<> handle = slots_[first_];
    first_ = (first_ + 1) & (slots_.size() - 1);
    --size_;
    return handle;
  }

 private:
  void grow();
  std::vector<std::coroutine_handle<>> slots_;  // a power of two, or none
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

// Functions from other threads. Shared with those who post, so that one that comes too late finds a closed queue and not a
// destroyed loop.
class RemoteQueue {
 public:
  struct Item {
    void (*plain)(void*);        // one of the two
    void (*owned)(void*, bool);  // also called to free the argument without running
    void* argument;
  };
  explicit RemoteQueue(EventQueue& events) : events_(&events) {}

  // From any thread. False, and nothing done, when the loop is gone.
  bool post(const Item& item);
  // Ends a wait of the loop.
  void wake();
  // On the loop. After close() nothing gets in; what was in is freed.
  std::size_t drain();
  void close();

 private:
  std::mutex mutex_;
  EventQueue* events_;  // null when closed
  std::vector<Item> items_;
  std::vector<Item> batch_;  // the loop's half of the pair, swapped with items_
};

struct Loop::Impl {
  Impl(Loop& owner, Options loop_options);
  ~Impl();

  // One turn; waits at most `limit` for something to do (negative: without limit). Returns whether anything was done.
  bool turn(Duration limit);
  std::size_t run_ready();
  bool run_deferred();
  void end_turn(TimePoint began);

  Loop& loop;
  Options options;
  EventQueue events;
  TimerHeap timers;
  ReadyRing ready;
  Deferred deferred{nullptr, nullptr};          // head of a circular list
  Deferred running_deferred{nullptr, nullptr};  // the same, for those whose turn has come
  std::shared_ptr<RemoteQueue> remote;
  std::atomic<bool> stopping = false;
  bool running = false;
  TimePoint now = Clock::now();
  // For the watchdog's thread; zero while the loop waits.
  std::atomic<TimePoint> turn_began = TimePoint();
  LoopCounters counters;
};

}  // namespace micro
