#include <exception>
#include <stdexcept>

#include <micro/coro/block_on.hpp>
#include <micro/coro/gate.hpp>
#include <micro/coro/timeout.hpp>
#include <micro/duration/duration.hpp>

namespace micro {
namespace {

struct Blocked {
  Loop& loop;
  Task<void> task;
  bool done = false;
  std::exception_ptr exception{};
};

Detached run_blocked(Blocked& blocked) {
  try {
    co_await std::move(blocked.task);
  } catch (...) {
    blocked.exception = std::current_exception();
  }
  blocked.done = true;
  blocked.loop.stop();
}

}  // namespace

void block_on(Loop& loop, Task<void> task) {
  Blocked blocked{loop, std::move(task)};
  loop.post_remote([](void* argument) { run_blocked(*static_cast<Blocked*>(argument)); }, &blocked);
  while (!blocked.done) loop.run();
  if (blocked.exception) std::rethrow_exception(blocked.exception);
}

Gate::Holder Gate::enter() {
  if (Holder holder = try_enter()) return holder;
  throw std::logic_error("Gate::enter() after close(): use try_enter() where the gate may be closed");
}

Error detail::timed_out(Duration timeout, Error cause) {
  return deadline_exceeded("took longer than " + format_duration(timeout)).with_cause(std::move(cause));
}

}  // namespace micro
