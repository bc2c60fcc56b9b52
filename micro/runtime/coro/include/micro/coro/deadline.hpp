#pragma once

#include <micro/context/context.hpp>
#include <micro/loop/loop.hpp>
#include <micro/loop/timer.hpp>

namespace micro {

// Cancels a context with DEADLINE_EXCEEDED when its deadline passes. A Context alone only knows its deadline; whoever runs a call
// on a loop holds one of these beside it. Costs a heap operation on the loop, no system call.
//
// A deadline that has passed already cancels in the next turn. Lives no longer than the context, and stops watching when
// destroyed. Thread safety: the loop's thread.
class ContextDeadline {
 public:
  ContextDeadline() = default;
  // Watches `context` on the calling thread's loop (throws std::logic_error without one).
  explicit ContextDeadline(Context& context);
  ContextDeadline(Context& context, Loop& loop) { watch(context, loop); }

  // (Re)starts: also after the context's deadline has changed. Does nothing for a context without deadline.
  void watch(Context& context, Loop& loop);
  void stop() noexcept { timer_.cancel(); }

 private:
  Timer timer_;
};

}  // namespace micro
