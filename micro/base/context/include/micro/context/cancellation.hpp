#pragma once

#include <atomic>
#include <optional>

#include <micro/error/error.hpp>

namespace micro {

class CancelSource;

// A callback that runs when a CancelSource is cancelled. It links itself into the source without allocating and leaves it when
// destroyed, so it usually lives in the frame of whoever waits.
//
// The callback runs on the loop that cancels, before cancel() returns, at most once. It may destroy its own CancelCallback,
// others of the same source, and the source itself; `reason` stays valid until it returns.
class CancelCallback {
 public:
  using Function = void (*)(void* argument, const Error& reason);

  CancelCallback() = default;
  CancelCallback(const CancelCallback&) = delete;
  CancelCallback& operator=(const CancelCallback&) = delete;
  ~CancelCallback() { unlink(); }

  // Starts to listen; runs `function` at once when the source is cancelled already. A linked callback is unlinked first.
  void link(CancelSource& source, Function function, void* argument);
  // Stops to listen; harmless when not linked.
  void unlink() noexcept;
  bool linked() const noexcept { return source_ != nullptr; }

 private:
  friend class CancelSource;
  CancelSource* source_ = nullptr;
  CancelCallback* next_ = nullptr;
  CancelCallback* previous_ = nullptr;
  Function function_ = nullptr;
  void* argument_ = nullptr;
};

// The state of being cancelled: a flag, a reason and the callbacks that want to know.
// Thread safety: one loop, except cancelled(), which any thread may ask.
class CancelSource {
 public:
  CancelSource() = default;
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;
  // Unlinks what still listens, without running it.
  ~CancelSource();

  // Runs every callback, in the order they were linked. Only the first call has an effect; returns whether this was it.
  bool cancel(Error reason);
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }
  std::optional<Error> reason() const { return reason_; }
  // Back to not cancelled; unlinks what still listens.
  void reset() noexcept;

 private:
  friend class CancelCallback;
  std::atomic<bool> cancelled_ = false;
  std::optional<Error> reason_;
  CancelCallback* first_ = nullptr;
  CancelCallback* last_ = nullptr;
  bool* stop_ = nullptr;  // tells a running cancel() that this object was reset or destroyed
};

}  // namespace micro
