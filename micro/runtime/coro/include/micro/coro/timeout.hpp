#pragma once

#include <type_traits>
#include <utility>

#include <micro/context/context.hpp>
#include <micro/coro/deadline.hpp>
#include <micro/task/task.hpp>

namespace micro {

namespace detail {
// DEADLINE_EXCEEDED "took longer than 100ms", with `cause` underneath.
Error timed_out(Duration timeout, Error cause);
}  // namespace detail

// Runs `function`, a Task<Result<T>>(Context&), with a child of `context` that ends after `timeout` (or with the parent's own
// deadline, whichever is first). When the time is over the child is cancelled, the function is awaited to its end, and an error
// it gives then becomes DEADLINE_EXCEEDED; a result that comes just in time is kept.
//
//   auto ask = [&](Context& c) { return client.ask(c, request); };
//   Result<Reply> reply = co_await with_timeout(context, 100ms, ask);
template <class F>
std::invoke_result_t<F&, Context&> with_timeout(Context& context, Duration timeout, F function) {
  Context child(context);
  child.set_timeout(timeout);
  ContextDeadline deadline(child);
  auto result = co_await function(child);
  if (!result && child.cancelled() && !context.cancelled()) {
    Error error = detail::timed_out(timeout, std::move(result.error()));
    co_return std::unexpected(std::move(error));
  }
  co_return result;
}

}  // namespace micro
