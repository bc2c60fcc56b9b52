#include <micro/task/task.hpp>

namespace micro {
namespace {

Detached run_detached(Task<void> task) { co_await std::move(task); }

}  // namespace

Detached spawn(Task<void> task) {
  // A connection may so start any number of handlers in a row without bouncing one of them.
  KeepResumeDepth keep;
  return run_detached(std::move(task));
}

}  // namespace micro
