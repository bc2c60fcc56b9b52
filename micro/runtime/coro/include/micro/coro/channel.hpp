#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include <micro/coro/waiter.hpp>
#include <micro/task/task.hpp>

namespace micro {

// A bounded queue between coroutines of one loop: senders wait while it is full, receivers while it is empty. Items come out in
// the order they went in. close() ends it: senders are refused, receivers get what is left and then nullopt.
//
// Must outlive those who wait. Thread safety: one loop.
template <class T>
class Channel {
 public:
  // `capacity`: items kept before a sender has to wait; at least 1.
  explicit Channel(std::size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // False, and the item is gone, when the channel is or gets closed.
  Task<bool> send(T item) {
    while (full() && !closed_) co_await Wait(senders_, nullptr);
    co_return put(std::move(item));
  }
  // The same; the context's error when it is cancelled while waiting.
  Task<Result<bool>> send(Context& context, T item) {
    while (full() && !closed_) {
      Result<void> waited = co_await Wait(senders_, &context);
      if (!waited) co_return std::unexpected(std::move(waited.error()));
    }
    co_return put(std::move(item));
  }
  // Without waiting; false, and `item` untouched, when it is full or closed.
  bool try_send(T&& item) { return !full() && put(std::move(item)); }

  // nullopt when the channel is closed and empty.
  Task<std::optional<T>> receive() {
    while (items_.empty() && !closed_) co_await Wait(receivers_, nullptr);
    co_return take();
  }
  // The same; the context's error when it is cancelled while waiting. Items that are there already are still given out.
  Task<Result<std::optional<T>>> receive(Context& context) {
    while (items_.empty() && !closed_) {
      Result<void> waited = co_await Wait(receivers_, &context);
      if (!waited) co_return std::unexpected(std::move(waited.error()));
    }
    co_return take();
  }
  // Without waiting; nullopt when it is empty.
  std::optional<T> try_receive() { return take(); }

  void close() {
    closed_ = true;
    senders_.wake_all();
    receivers_.wake_all();
  }
  bool closed() const noexcept { return closed_; }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  // Whoever is woken looks again: somebody who did not have to wait may have come first.
  struct Wait {
    Wait(WaiterList& l, Context* c) noexcept : list(l), context(c) {}
    WaiterList& list;
    Context* context;
    Waiter waiter{};
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) { waiter.suspend(handle, &list, context); }
    Result<void> await_resume() const { return waiter.outcome(); }
  };

  bool full() const noexcept { return items_.size() >= capacity_; }
  bool put(T&& item) {
    if (closed_) return false;
    items_.push_back(std::move(item));
    receivers_.wake_one();
    return true;
  }
  std::optional<T> take() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    senders_.wake_one();
    return item;
  }

  const std::size_t capacity_;
  bool closed_ = false;
  std::deque<T> items_;
  WaiterList senders_;
  WaiterList receivers_;
};

}  // namespace micro
