#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/registry/registry.hpp>

// What those who write a registry share besides <micro/registry/records.hpp>: watchers that are fed from another thread, and the
// changes between two lists.
namespace micro {
class Loop;
}

namespace micro::registry {

// Feeds one Watcher. The registry keeps a share of the queue and pushes what happens, from any thread; the watcher's owner reads
// on his loop, in the order of the pushes of one thread. After the watcher was stopped or destroyed nothing touches its loop any
// more.
//
// Thread safety: push() and fail() from any thread.
class WatchQueue {
 public:
  // For a watcher on the calling thread's loop; FAILED_PRECONDITION on a thread without one.
  static Result<std::shared_ptr<WatchQueue>> make();
  ~WatchQueue();

  void push(Event event);
  // The watcher answers `error` after what was pushed before, and from then on: changes may have been missed.
  void fail(Error error);

  // The watcher of this queue; once. `on_stop` runs on the watcher's loop, once, when it is stopped or destroyed: the registry
  // then lets go of the queue.
  template <class F>
  std::unique_ptr<Watcher> watcher(F on_stop) {
    struct Holder final : OnStop {
      explicit Holder(F f) : function(std::move(f)) {}
      void run() override { function(); }
      F function;
    };
    return make_watcher(std::make_unique<Holder>(std::move(on_stop)));
  }

 private:
  struct OnStop {
    virtual ~OnStop() = default;
    virtual void run() = 0;
  };
  struct State;
  class Reader;
  explicit WatchQueue(std::shared_ptr<State> state);
  std::unique_ptr<Watcher> make_watcher(std::unique_ptr<OnStop> on_stop);
  std::shared_ptr<State> state_;
};

// What happened to each node between two lists, told as a watcher tells it. New and changed nodes come before those that left, so
// that a service whose nodes were all replaced is never seen empty.
std::vector<Event> differences(const std::vector<Service>& before, const std::vector<Service>& now);

// Why `context` has ended: its reason when it was cancelled, DEADLINE_EXCEEDED when its time has run out; nullopt while it goes
// on.
std::optional<Error> ended(const Context& context);

}  // namespace micro::registry
