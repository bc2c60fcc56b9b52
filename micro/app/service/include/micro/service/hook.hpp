#pragma once

#include <micro/error/error.hpp>
#include <micro/task/task.hpp>

namespace micro {

// Work of the user's at the turning points of a service's life: open a pool before the first call, close it after the last.
// Runs on the first loop; hooks run in the order they were added, on stopping in reverse.
class Hook {
 public:
  virtual ~Hook() = default;
  // The port is bound, nothing is accepted yet. An Error stops the start.
  virtual Task<Result<void>> before_start() { co_return Result<void>{}; }
  // Registered and ready.
  virtual Task<Result<void>> after_start() { co_return Result<void>{}; }
  // Before anything else of a stop. Errors are logged, the stop goes on.
  virtual Task<Result<void>> before_stop() { co_return Result<void>{}; }
  // Every call has ended and every connection is closed.
  virtual Task<Result<void>> after_stop() { co_return Result<void>{}; }
};

}  // namespace micro
