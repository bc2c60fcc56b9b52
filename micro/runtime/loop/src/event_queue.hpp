#pragma once

#include <boost/asio/io_context.hpp>

#include <micro/duration/chrono.hpp>

namespace micro {

// Asio's io_context, driven one batch of events at a time.
//
// A loop turn wants: one wait in the kernel, every handler the wait made ready, then the loop's own work, then the next wait.
// io_context's members cannot say that: poll() and poll_one() ask the kernel again before they report that nothing is left, which
// costs a second epoll_wait for each wake-up. So this class also looks whether handlers are queued in front of the next wait.
class EventQueue {
 public:
  EventQueue();

  boost::asio::io_context& context() noexcept { return context_; }

  // Asks the kernel for events unless handlers are queued already, waiting at most `limit` (negative: without limit) when there
  // are none, and runs the first handler. Returns whether one ran.
  bool wait(Duration limit);
  // Runs the next handler of the present batch, without a system call; false when the batch is done.
  bool next();

 private:
  bool has_next() const;

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
};

}  // namespace micro
