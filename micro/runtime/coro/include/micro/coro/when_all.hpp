#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <micro/coro/event.hpp>
#include <micro/task/task.hpp>

namespace micro {

namespace detail {

template <class T>
using ValueOf = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

// How many are still running, and the first exception of those that have ended.
struct Join {
  explicit Join(std::size_t count) noexcept : left(count) {}
  void done() {
    if (--left == 0) all.set();
  }
  std::size_t left;
  std::exception_ptr exception{};
  Event all{};
};

template <class T>
Detached join_one(Task<T> task, std::optional<ValueOf<T>>& slot, Join& join) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      slot.emplace();
    } else {
      slot.emplace(co_await std::move(task));
    }
  } catch (...) {
    if (!join.exception) join.exception = std::current_exception();
  }
  join.done();
}

// Starts all and waits for all.
template <class T>
Task<void> join_vector(std::vector<Task<T>> tasks, std::vector<std::optional<ValueOf<T>>>& slots) {
  Join join(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    KeepResumeDepth keep;
    join_one<T>(std::move(tasks[i]), slots[i], join);
  }
  if (join.left != 0) co_await join.all.wait();
  if (join.exception) std::rethrow_exception(join.exception);
}

template <class... T, std::size_t... I>
Task<std::tuple<ValueOf<T>...>> join_tuple(std::index_sequence<I...>, Task<T>... tasks) {
  std::tuple<std::optional<ValueOf<T>>...> slots;
  Join join(sizeof...(T));
  {
    KeepResumeDepth keep;
    (join_one<T>(std::move(tasks), std::get<I>(slots), join), ...);
  }
  co_await join.all.wait();
  if (join.exception) std::rethrow_exception(join.exception);
  co_return std::tuple<ValueOf<T>...>(std::move(*std::get<I>(slots))...);
}

}  // namespace detail

// Runs the tasks side by side on this loop, started in the order given, and gives all results: a std::tuple in that order, with
// std::monostate for Task<void>.
//
// Waits for every one of them, also when one throws; then the first exception goes on. Errors are values: look at each Result.
// Cancellation: cancel the context that the tasks were given.
template <class... T>
Task<std::tuple<detail::ValueOf<T>...>> when_all(Task<T>... tasks) {
  return detail::join_tuple<T...>(std::index_sequence_for<T...>(), std::move(tasks)...);
}

// The same for any number of tasks of one type, results in the order of the tasks.
template <class T>
  requires(!std::is_void_v<T>)
Task<std::vector<T>> when_all(std::vector<Task<T>> tasks) {
  std::vector<std::optional<T>> slots(tasks.size());
  co_await detail::join_vector<T>(std::move(tasks), slots);
  std::vector<T> results;
  results.reserve(slots.size());
  for (std::optional<T>& slot : slots) results.push_back(std::move(*slot));
  co_return results;
}

inline Task<void> when_all(std::vector<Task<void>> tasks) {
  std::vector<std::optional<std::monostate>> slots(tasks.size());
  co_await detail::join_vector<void>(std::move(tasks), slots);
}

}  // namespace micro
