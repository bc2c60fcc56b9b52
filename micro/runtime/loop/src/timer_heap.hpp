#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <micro/loop/timer.hpp>

namespace micro {

// The pending timers of one loop: a 4-ary heap, earliest first; timers of the same instant in the order they were set. Each timer
// knows its slot, so that re-arming and cancelling need no search. Keeps its memory.
struct TimerHeap {
 public:
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  TimePoint earliest() const noexcept { return entries_.front().when; }

  // Adds `timer`, or moves it when it is here already.
  void set(Timer& timer, TimePoint when);
  void remove(Timer& timer) noexcept;
  // Fires what is due at `now`; what those functions set anew waits for the next call, even when it is due. Returns how many.
  std::size_t fire(TimePoint now);
  // Makes every timer idle.
  void clear() noexcept;

 private:
  struct Entry {
    TimePoint when;
    std::uint64_t order;
    Timer* timer;
    bool before(const Entry& other) const noexcept { return when != other.when ? when < other.when : order < other.order; }
  };
  void place(std::size_t slot, const Entry& entry) noexcept;
  void sift_up(std::size_t slot, const Entry& entry) noexcept;
  void sift_down(std::size_t slot, const Entry& entry) noexcept;
  void erase(std::size_t slot) noexcept;

  std::vector<Entry> entries_;
  std::uint64_t next_order_ = 0;
};

}  // namespace micro
