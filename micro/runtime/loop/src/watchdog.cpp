#include <micro/loop/watchdog.hpp>

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "loop_impl.hpp"
#include "stuck_loops.hpp"

namespace micro {

StuckLoops::StuckLoops(LoopGroup& loops, Watchdog::Observer& observer, Duration threshold)
    : loops_(loops), observer_(observer), threshold_(threshold), turns_(loops.size(), Turn{TimePoint(), threshold}) {}

void StuckLoops::check(TimePoint now) {
  for (std::size_t i = 0; i < turns_.size(); ++i) {
    Loop& loop = loops_.loop(i);
    const TimePoint began = loop.impl().turn_began.load(std::memory_order_relaxed);
    Turn& turn = turns_[i];
    if (began != turn.began) turn = {began, threshold_};
    if (began == TimePoint() || now - began < turn.told_at) continue;
    turn.told_at = (now - began) * 2;
    observer_.on_stuck(loop.name(), now - began);
  }
}

struct Watchdog::Impl {
  Impl(LoopGroup& loops, Observer& observer, Duration threshold)
      : stuck(loops, observer, threshold), thread([this, period = threshold / 2] { watch(period); }) {}

  ~Impl() {
    {
      std::lock_guard lock(mutex);
      ending = true;
    }
    ended.notify_all();
    thread.join();
  }

  void watch(Duration period) {
    pthread_setname_np(pthread_self(), "watchdog");
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, period, [this] { return ending; })) stuck.check(Clock::now());
  }

  std::mutex mutex;
  std::condition_variable ended;
  bool ending = false;
  StuckLoops stuck;
  std::thread thread;
};

Watchdog::Watchdog(LoopGroup& loops, Observer& observer, Duration threshold)
    : impl_(std::make_unique<Impl>(loops, observer, threshold)) {}

Watchdog::~Watchdog() = default;

}  // namespace micro
