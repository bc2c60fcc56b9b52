#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <micro/context/context.hpp>
#include <micro/coro/when_all.hpp>

namespace micro {

// What when_any() gives: which one was first, and its result.
template <class T>
struct First {
  std::size_t index;
  T value;
};

namespace detail {

template <class T>
struct TaskValue;
template <class T>
struct TaskValue<Task<T>> {
  using type = T;
};

template <class T, class F>
Detached race_one(F& function, Context& context, std::size_t index, std::optional<First<T>>& first, Event& decided, Join& join) {
  try {
    T value = co_await function(context);
    if (!first) first.emplace(First<T>{index, std::move(value)});
  } catch (...) {
    if (!join.exception) join.exception = std::current_exception();
  }
  if (first || join.left == 1) decided.set();
  join.done();
}

template <class T, std::size_t... I, class... F>
Task<First<T>> race(std::index_sequence<I...>, Context& context, F... functions) {
  std::optional<First<T>> first;
  Event decided;
  Join join(sizeof...(F));
  // A child for each, so that the winner's own context is cancelled as well: nothing it left behind goes on.
  const std::array<std::unique_ptr<Context>, sizeof...(F)> children{((void)I, std::make_unique<Context>(context))...};
  {
    KeepResumeDepth keep;
    (race_one<T>(functions, *children[I], I, first, decided, join), ...);
  }
  co_await decided.wait();
  for (const auto& child : children) child->cancel(cancelled("another one was first"));
  co_await join.all.wait();
  if (!first) std::rethrow_exception(join.exception);
  co_return std::move(*first);
}

}  // namespace detail

// Runs functions Task<T>(Context&), all of one T, side by side, each with a child of `context`; the first that ends decides. The
// children are cancelled then, and when_any returns after every one of them has ended: nothing is left running, so the functions
// may refer to locals of the caller. A function that ignores its context therefore delays the result.
//
//   auto slow = [&](Context& c) { return ask(c, first_node); };
//   auto other = [&](Context& c) { return ask(c, second_node); };
//   First<Result<Reply>> winner = co_await when_any(context, slow, other);
//
// An error is a result like any other. A function that throws does not win; only when all throw the first exception goes on.
// Name the lambdas as above: GCC 12 destroys one twice that is written inside the co_await expression.
template <class F, class... Rest>
auto when_any(Context& context, F function, Rest... rest) {
  using T = typename detail::TaskValue<std::invoke_result_t<F&, Context&>>::type;
  return detail::race<T>(std::make_index_sequence<1 + sizeof...(Rest)>(), context, std::move(function), std::move(rest)...);
}

}  // namespace micro
