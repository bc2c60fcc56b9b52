#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <micro/context/context.hpp>
#include <micro/coro/deadline.hpp>
#include <micro/coro/event.hpp>
#include <micro/error/error.hpp>
#include <micro/loop/loop.hpp>
#include <micro/task/task.hpp>

namespace micro {

namespace detail {

template <class T>
struct TaskResult;
template <class T>
struct TaskResult<Task<Result<T>>> {
  using type = T;
};

// What both loops hold on to while the work is away. Each member belongs to one of them.
template <class T>
struct CallOn {
  CallOn(Loop& h, Loop& t) : home(h), target(t) {}
  Loop& home;
  Loop& target;
  // Of the target.
  Context context;
  // Written by the target before it posts to home, read there afterwards.
  std::optional<Result<T>> result;
  // Of home.
  Event done;
};

template <class T, class Work>
Task<void> run_away(std::shared_ptr<CallOn<T>> call, Work work) {
  const ContextDeadline deadline(call->context, call->target);
  call->result.emplace(co_await work(call->context));
  Loop& home = call->home;
  home.post_remote([call] { call->done.set(); });
}

template <class T>
struct ForwardCancel {
  std::shared_ptr<CallOn<T>> call;
  static void run(void* self, const Error& reason) {
    auto call = static_cast<ForwardCancel*>(self)->call;
    call->target.post_remote([call, reason] { call->context.cancel(reason); });
  }
};

template <class T, class Work>
Task<Result<T>> call_away(Loop& home, Loop& target, Context& context, Work work) {
  auto call = std::make_shared<CallOn<T>>(home, target);
  if (context.deadline()) call->context.set_deadline(*context.deadline());
  if (context.cancelled()) call->context.cancel(*context.error());
  target.post_remote([call, work = std::move(work)]() mutable { spawn(run_away<T, Work>(std::move(call), std::move(work))); });
  ForwardCancel<T> forward{call};
  CancelCallback link;
  link.link(context.cancellation(), &ForwardCancel<T>::run, &forward);
  co_await call->done.wait();
  co_return std::move(*call->result);
}

}  // namespace detail

// Runs `work` on another loop and brings its result back to the calling one:
//
//   auto ask = [this, name](Context& there) { return ask_server(there, name); };
//   auto answer = co_await call_on(own_loop, context, ask);
//
// `work` takes a Context& and returns a Task<Result<T>>; it is moved to the target loop and lives there until it has ended, so it
// captures by value. Its context is one of the target's: it ends at the deadline of `context` and when `context` is cancelled;
// metadata and ids stay behind. call_on() returns when the work has ended, also after a cancellation: work that does not listen
// to its context is waited for. An exception that leaves it ends the program. On the target loop already, the work runs at once
// with `context` itself.
//
// Both loops must run until then. Thread safety: called on a loop (throws std::logic_error elsewhere).
template <class Work>
auto call_on(Loop& target, Context& context, Work work) -> std::invoke_result_t<Work&, Context&> {
  using T = typename detail::TaskResult<std::invoke_result_t<Work&, Context&>>::type;
  Loop* const home = Loop::current();
  if (home == nullptr) throw std::logic_error("call_on() outside of a loop: its result has nowhere to come back to");
  if (home == &target) co_return co_await work(context);
  co_return co_await detail::call_away<T, Work>(*home, target, context, std::move(work));
}

}  // namespace micro
