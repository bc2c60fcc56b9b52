#pragma once

#include <optional>
#include <stdexcept>
#include <utility>

#include <micro/task/task.hpp>

namespace micro::generator_test {

template <class T>
Detached store(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

// The result of a task that never has to wait for a loop.
template <class T>
T run(Task<T> task) {
  std::optional<T> result;
  store(std::move(task), result);
  if (!result) throw std::logic_error("the task waits for something");
  return *std::move(result);
}

}  // namespace micro::generator_test
