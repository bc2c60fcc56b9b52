#pragma once

#include <micro/duration/chrono.hpp>

namespace micro::registry {

// Tells the time by which records expire. Tests bring one they can move; everybody else leaves it out and gets Clock::now().
// Thread safety: now() is called from any thread.
class TimeSource {
 public:
  virtual ~TimeSource() = default;
  virtual TimePoint now() const noexcept = 0;
};

}  // namespace micro::registry
