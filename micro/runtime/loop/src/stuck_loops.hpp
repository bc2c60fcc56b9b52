#pragma once

#include <vector>

#include <micro/loop/watchdog.hpp>

namespace micro {

// What the watchdog knows: which turn of which loop it has told of.
class StuckLoops {
 public:
  StuckLoops(LoopGroup& loops, Watchdog::Observer& observer, Duration threshold);
  void check(TimePoint now);

 private:
  struct Turn {
    TimePoint began;
    Duration told_at;  // told of again when it has become this long
  };
  LoopGroup& loops_;
  Watchdog::Observer& observer_;
  Duration threshold_;
  std::vector<Turn> turns_;
};

}  // namespace micro
