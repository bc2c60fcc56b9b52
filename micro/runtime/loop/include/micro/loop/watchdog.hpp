#pragma once

#include <memory>
#include <string>

#include <micro/duration/chrono.hpp>
#include <micro/loop/group.hpp>

namespace micro {

// Looks at loops from outside and tells of those that do not come back: a handler that waits for a lock, or runs for ever. A
// LagObserver hears of a long turn when it has ended; this hears of one that may never end.
//
// Thread safety: made and destroyed by one owner, after start() of the group or before. Costs a loop two plain stores a turn.
class Watchdog {
 public:
  class Observer {
   public:
    virtual ~Observer() = default;
    // The present turn of this loop has taken `so_far`, and goes on. Told once the threshold is passed, and again each time the
    // turn has become twice as long. On the watchdog's thread.
    virtual void on_stuck(const std::string& loop_name, Duration so_far) = 0;
  };

  // Both must outlive the watchdog. It looks every half of `threshold`.
  Watchdog(LoopGroup& loops, Observer& observer, Duration threshold = std::chrono::seconds(1));
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  // Waits for a call of the observer that is under way.
  ~Watchdog();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro
