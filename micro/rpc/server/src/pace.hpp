#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <micro/duration/chrono.hpp>

namespace micro::rpc {

// Whether something moves fast enough. Nobody tells it when bytes move: it looks at their sum now and then, so the path of the
// bytes costs nothing.
class Pace {
 public:
  // `moved` is a sum that only grows. False when it has grown by less than `rate` bytes a second, or not at all, over at least
  // `window`; a new window begins then.
  bool keeps_up(std::uint64_t moved, TimePoint now, Duration window, std::uint32_t rate) noexcept {
    if (!running_) {
      start(moved, now);
      return true;
    }
    const Duration passed = now - since_;
    if (passed < window) return true;
    const double wanted = std::chrono::duration<double>(passed).count() * rate;
    const bool enough = moved > moved_ && static_cast<double>(moved - moved_) >= wanted;
    start(moved, now);
    return enough;
  }
  // What it looks at has changed: the next look begins a window.
  void restart() noexcept { running_ = false; }

 private:
  void start(std::uint64_t moved, TimePoint now) noexcept {
    running_ = true;
    since_ = now;
    moved_ = moved;
  }

  TimePoint since_{};
  std::uint64_t moved_ = 0;
  bool running_ = false;
};

}  // namespace micro::rpc
