#include <micro/task/task.hpp>

namespace micro {
namespace {

Detached run_detached(Task<void> task) { co_await std::move(task); }

}  // namespace

Detached spawn(Task<void> task) {
  // The caller goes on after this one has suspended, so what ran in between added nothing to the stack: it is not charged to the
  // budget of inline resumptions. A connection may start any number of handlers in a row without bouncing one of them.
  const std::uint32_t depth = resume_state.depth;
  Detached detached = run_detached(std::move(task));
  resume_state.depth = depth;
  return detached;
}

}  // namespace micro
