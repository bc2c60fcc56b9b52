#pragma once

#include <micro/context/context.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/task/task.hpp>

namespace micro {

// Waits for `duration` on the calling thread's loop. Ends early with the context's error when that is cancelled, or with
// DEADLINE_EXCEEDED when its deadline passes (which then cancels the context).
// Precision: the kernel's wait counts in milliseconds, rounded up; never early. Throws std::logic_error without a loop.
Task<Result<void>> sleep(Context& context, Duration duration);

// The same without a context: cannot be interrupted.
Task<void> sleep_for(Duration duration);

}  // namespace micro
