#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <micro/loop/loop.hpp>

namespace micro {

// Several loops, each on a thread of its own: as a rule one a core.
//
// Thread safety: size() and loop() from any thread; start(), stop() and join() by one owner.
class LoopGroup {
 public:
  struct Options {
    // Number of loops; 0: one for each processor this process may use (sched_getaffinity).
    std::size_t size = 0;
    // Threads are named "<name>-0", "<name>-1", ...: what top and gdb show.
    std::string name = "micro";
    Duration lag_threshold = std::chrono::milliseconds(100);
    LagObserver* lag_observer = nullptr;
  };

  LoopGroup();
  explicit LoopGroup(Options options);
  LoopGroup(const LoopGroup&) = delete;
  LoopGroup& operator=(const LoopGroup&) = delete;
  // Stops and joins.
  ~LoopGroup();

  std::size_t size() const noexcept;
  Loop& loop(std::size_t index) noexcept;
  // The index of the calling thread's loop in this group, or size() when it is none of them.
  std::size_t current_index() const noexcept;

  void start();
  // Asks every loop to stop; join() waits until their threads have ended.
  void stop();
  void join();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro
