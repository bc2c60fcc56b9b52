#pragma once

#include <coroutine>
#include <memory>

#include <micro/loop/loop.hpp>

namespace micro {

// Waits until a file descriptor that something else owns can be read: inotify, a pipe, a listening socket, a library's socket.
//
//   FdWatch watch(loop, inotify_fd);
//   while (co_await watch.readable()) read_events(inotify_fd);
//
// The descriptor must be non-blocking, be one epoll can watch (not a regular file), stay open as long as this object lives, and
// have no second FdWatch on the same loop. At most one wait may be pending.
// Cancellation: cancel() and the destructor complete a pending wait with false, on a later turn. The coroutine that waits
// must live until then. Thread safety: the loop's thread only (construction: any thread).
class FdWatch {
 public:
  // Throws std::system_error when the descriptor cannot be watched, which is a bug or a lack of memory or of inotify watches.
  FdWatch(Loop& loop, int fd);
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  ~FdWatch();

  struct Awaiter {
    FdWatch& watch;
    bool or_writable = false;
    std::coroutine_handle<> waiter{};
    bool ready = false;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      waiter = handle;
      watch.start(*this);
    }
    bool await_resume() const noexcept { return ready; }
  };
  // True when a read would not block; false after cancel(). Level-triggered: true again at once while bytes are left.
  Awaiter readable() noexcept { return {*this}; }
  // The same when a write would not block either: for sockets of libraries that have something to send.
  Awaiter readable_or_writable() noexcept { return {*this, true}; }

  void cancel() noexcept;

 private:
  void start(Awaiter& awaiter);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro
