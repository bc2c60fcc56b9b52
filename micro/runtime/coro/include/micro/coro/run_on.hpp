#pragma once

#include <micro/loop/loop.hpp>
#include <micro/task/task.hpp>

namespace micro {

// Runs `task` on a loop that another thread runs, and blocks the calling thread until it has ended: the bridge from main() and
// plain threads into the world of tasks. Never from a loop's own thread: that would wait for itself. An exception ends the
// program.
void run_on(Loop& loop, Task<void> task);

}  // namespace micro
