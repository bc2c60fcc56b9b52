#include "event_queue.hpp"

#include <algorithm>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>

namespace micro {
namespace {

namespace asio = boost::asio;
using Scheduler = asio::detail::scheduler;

// Read access to three private members of Asio's scheduler (an explicit instantiation may name them). Their names have been the
// same since Boost 1.47; should one change, this does not compile and has() below is the only place to adapt.
template <class Tag, auto Member>
struct Expose {
  friend constexpr auto member(Tag) { return Member; }
};
struct Mutex {
  friend constexpr auto member(Mutex);
};
struct Queue {
  friend constexpr auto member(Queue);
};
struct Wait {
  friend constexpr auto member(Wait);
};
template struct Expose<Mutex, &Scheduler::mutex_>;
template struct Expose<Queue, &Scheduler::op_queue_>;
template struct Expose<Wait, &Scheduler::task_operation_>;

Scheduler& scheduler(const asio::io_context& context) {
  return asio::use_service<Scheduler>(const_cast<asio::io_context&>(context));
}

// Longest single wait handed to the kernel.
constexpr Duration kLongestWait = std::chrono::hours(1);

}  // namespace

// The concurrency hint 1 says that one thread runs the context, which spares wake-ups between threads; posting to it from other
// threads stays possible.
EventQueue::EventQueue() : context_(1), work_(asio::make_work_guard(context_)) {
  // Any descriptor or timer service puts the kernel wait into the scheduler's queue. Without one, Asio waits on a condition
  // variable instead, whose wait does not know "without limit".
  asio::steady_timer starts_reactor(context_);
}

bool EventQueue::wait(Duration limit) {
  boost::system::error_code ignored;
  if (limit < Duration::zero() || limit > kLongestWait) limit = kLongestWait;
  const auto microseconds = std::chrono::ceil<std::chrono::microseconds>(limit);
  return scheduler(context_).wait_one(static_cast<long>(microseconds.count()), ignored) != 0;
}

bool EventQueue::next() { return has_next() && context_.poll_one() != 0; }

bool EventQueue::has_next() const {
  Scheduler& asio_scheduler = scheduler(context_);
  auto& mutex = asio_scheduler.*member(Mutex{});
  std::remove_reference_t<decltype(mutex)>::scoped_lock lock(mutex);
  const asio::detail::scheduler_operation* first = (asio_scheduler.*member(Queue{})).front();
  return first != nullptr && first != &(asio_scheduler.*member(Wait{}));
}

}  // namespace micro
