#include <micro/loop/timer.hpp>

#include <algorithm>

#include "loop_impl.hpp"
#include "timer_heap.hpp"

namespace micro {
namespace {
constexpr std::size_t kArity = 4;
}

void Timer::set(Loop& loop, TimePoint when, Function function, void* argument) {
  if (loop_ != &loop) cancel();
  loop_ = &loop;
  when_ = when;
  function_ = function;
  argument_ = argument;
  loop.impl().timers.set(*this, when);
}

void Timer::cancel() noexcept {
  if (pending()) loop_->impl().timers.remove(*this);
}

void TimerHeap::place(std::size_t slot, const Entry& entry) noexcept {
  entries_[slot] = entry;
  entry.timer->slot_ = slot;
}

void TimerHeap::sift_up(std::size_t slot, const Entry& entry) noexcept {
  while (slot > 0) {
    const std::size_t parent = (slot - 1) / kArity;
    if (!entry.before(entries_[parent])) break;
    place(slot, entries_[parent]);
    slot = parent;
  }
  place(slot, entry);
}

void TimerHeap::sift_down(std::size_t slot, const Entry& entry) noexcept {
  for (;;) {
    const std::size_t first = slot * kArity + 1;
    if (first >= entries_.size()) break;
    const std::size_t last = std::min(first + kArity, entries_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < last; ++child) {
      if (entries_[child].before(entries_[least])) least = child;
    }
    if (!entries_[least].before(entry)) break;
    place(slot, entries_[least]);
    slot = least;
  }
  place(slot, entry);
}

void TimerHeap::set(Timer& timer, TimePoint when) {
  const Entry entry{when, next_order_++, &timer};
  if (timer.slot_ == Timer::kIdle) {
    entries_.push_back(entry);
    sift_up(entries_.size() - 1, entry);
  } else if (entry.before(entries_[timer.slot_])) {
    sift_up(timer.slot_, entry);
  } else {
    sift_down(timer.slot_, entry);
  }
}

void TimerHeap::erase(std::size_t slot) noexcept {
  entries_[slot].timer->slot_ = Timer::kIdle;
  const Entry moved = entries_.back();
  entries_.pop_back();
  if (slot == entries_.size()) return;
  if (slot > 0 && moved.before(entries_[(slot - 1) / kArity])) {
    sift_up(slot, moved);
  } else {
    sift_down(slot, moved);
  }
}

void TimerHeap::remove(Timer& timer) noexcept { erase(timer.slot_); }

std::size_t TimerHeap::fire(TimePoint now) {
  const std::uint64_t limit = next_order_;
  std::size_t fired = 0;
  while (!entries_.empty() && entries_.front().when <= now && entries_.front().order < limit) {
    Timer& timer = *entries_.front().timer;
    erase(0);
    ++fired;
    // A chain of coroutines that starts here has the whole budget of inline resumptions.
    resume_state.depth = 0;
    timer.function_(timer.argument_);
  }
  return fired;
}

void TimerHeap::clear() noexcept {
  for (const Entry& entry : entries_) entry.timer->slot_ = Timer::kIdle;
  entries_.clear();
}

}  // namespace micro
