#include <micro/coro/run_on.hpp>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace micro {
namespace {

struct Bridge {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;

  static Detached run(Task<void> task, Bridge& bridge) {
    co_await std::move(task);
    std::lock_guard lock(bridge.mutex);
    bridge.done = true;
    bridge.changed.notify_all();
  }
};

}  // namespace

void run_on(Loop& loop, Task<void> task) {
  Bridge bridge;
  loop.post_remote([&] { Bridge::run(std::move(task), bridge); });
  std::unique_lock lock(bridge.mutex);
  bridge.changed.wait(lock, [&] { return bridge.done; });
}

}  // namespace micro
