#pragma once

#include <algorithm>
#include <cstdint>

#include <micro/duration/chrono.hpp>

namespace micro::http2 {

// A receive window (RFC 9113 section 5.2): what the peer may still send, and what has been consumed but not announced yet.
// Announcements are batched: one WINDOW_UPDATE for half a window.
class ReceiveWindow {
 public:
  explicit ReceiveWindow(std::int64_t size = 0) : size_(size), available_(size) {}

  // False when `count` bytes are more than the peer was allowed to send.
  bool receive(std::int64_t count) noexcept {
    if (count > available_) return false;
    available_ -= count;
    return true;
  }

  // Gives bytes back. Returns the increment to announce now; 0: not yet.
  std::uint32_t credit(std::int64_t count) noexcept {
    pending_ += count;
    if (pending_ < std::max<std::int64_t>(size_ / 2, 1)) return 0;
    return flush();
  }

  // The peer knows about the new size already, through SETTINGS.
  void resize(std::int64_t size) noexcept {
    available_ += size - size_;
    size_ = size;
  }

  // Returns the increment that announces the new, larger size.
  std::uint32_t grow(std::int64_t size) noexcept {
    pending_ += size - size_;
    size_ = size;
    return flush();
  }

  std::int64_t size() const noexcept { return size_; }
  // Half of the window is in use: the sender may be limited by it.
  bool is_low() const noexcept { return available_ <= size_ / 2; }

 private:
  std::uint32_t flush() noexcept {
    const std::int64_t increment = pending_;
    available_ += increment;
    pending_ = 0;
    return static_cast<std::uint32_t>(increment);
  }

  std::int64_t size_;
  std::int64_t available_;
  std::int64_t pending_ = 0;
};

// Estimates the bandwidth-delay product as gRPC does: a PING is sent, what arrives until its answer is what was under way in one
// round trip. When that nears the window, and arrived faster than ever before, the window is what limits the sender.
class BdpEstimator {
 public:
  // The payload that marks our measuring pings.
  static constexpr std::uint64_t kPing = 0x6d6963726f626470;

  bool measuring() const noexcept { return measuring_; }

  void start(TimePoint now) noexcept {
    measuring_ = true;
    started_ = now;
    bytes_ = 0;
  }

  void received(std::uint64_t bytes) noexcept { bytes_ += bytes; }

  // The answer has come. Returns the window to use from now on: `window` or twice as much.
  std::int64_t finish(TimePoint now, std::int64_t window, std::int64_t limit) noexcept {
    measuring_ = false;
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now - started_).count();
    const double rate = static_cast<double>(bytes_) / static_cast<double>(std::max<std::int64_t>(micros, 1));
    const bool faster = rate > best_rate_;
    best_rate_ = std::max(best_rate_, rate);
    if (!faster || static_cast<std::int64_t>(bytes_) < window / 3 * 2) return window;
    return std::min(window * 2, limit);
  }

 private:
  TimePoint started_{};
  std::uint64_t bytes_ = 0;
  double best_rate_ = 0;  // bytes per microsecond
  bool measuring_ = false;
};

// What a peer may do in excess: `limit` events at once, as many again after `span`, refilled evenly. A token bucket, kept as the
// time at which it will be full.
class Budget {
 public:
  Budget(std::uint32_t limit, Duration span) noexcept
      : span_(span), cost_(limit == 0 ? span + Duration(1) : std::max(span / limit, Duration(1))) {}

  // False when this event is one too many.
  bool take(TimePoint now) noexcept {
    full_at_ = std::max(full_at_, now) + cost_;
    return full_at_ - now <= span_;
  }

  void give_back(std::uint64_t events) noexcept {
    const auto most = static_cast<std::uint64_t>(span_ / cost_) + 1;
    full_at_ -= cost_ * static_cast<std::int64_t>(std::min(events, most));
  }

 private:
  Duration span_;
  Duration cost_;  // of one event, in time to refill
  TimePoint full_at_{};
};

}  // namespace micro::http2
