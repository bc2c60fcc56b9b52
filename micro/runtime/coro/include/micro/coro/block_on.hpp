#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <micro/loop/loop.hpp>
#include <micro/task/task.hpp>

namespace micro {

// Runs `loop` on this thread until `task` has ended, and gives its result (or throws what it threw). For main() and for tests;
// never from a coroutine of that loop. Loop::stop() does not end it early.
void block_on(Loop& loop, Task<void> task);

namespace detail {
template <class T>
Task<void> store_result(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}
}  // namespace detail

template <class T>
  requires(!std::is_void_v<T>)
T block_on(Loop& loop, Task<T> task) {
  std::optional<T> result;
  block_on(loop, detail::store_result(std::move(task), result));
  return std::move(*result);
}

}  // namespace micro
