#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace micro::rpc {

// The bytes of unfinished requests that all loops of a server hold together, and how many they may.
struct MemoryPool {
  std::size_t limit = 0;
  std::atomic<std::size_t> taken = 0;
};

// One loop's share of it. Taken from the pool in large pieces, so that bytes are counted without touching what loops share.
class MemoryShare {
 public:
  explicit MemoryShare(MemoryPool& pool) noexcept : pool_(pool), piece_(std::clamp<std::size_t>(pool.limit / 256, 1, 1 << 20)) {}
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;
  ~MemoryShare() { pool_.taken.fetch_sub(share_, std::memory_order_relaxed); }

  // False, and nothing is taken, when there is no room.
  bool take(std::size_t bytes) noexcept {
    const std::size_t used = used_.load(std::memory_order_relaxed);
    if (bytes > share_ - used) {
      const std::size_t missing = bytes - (share_ - used);
      const std::size_t more = (missing + piece_ - 1) / piece_ * piece_;
      if (pool_.taken.fetch_add(more, std::memory_order_relaxed) + more > pool_.limit) {
        pool_.taken.fetch_sub(more, std::memory_order_relaxed);
        return false;
      }
      share_ += more;
    }
    used_.store(used + bytes, std::memory_order_relaxed);
    return true;
  }
  void give_back(std::size_t bytes) noexcept {
    const std::size_t used = used_.load(std::memory_order_relaxed) - bytes;
    used_.store(used, std::memory_order_relaxed);
    // Two pieces are kept, lest one message that comes and goes at the edge of a piece shuttles it to and fro.
    if (share_ - used <= 2 * piece_) return;
    const std::size_t less = (share_ - used) / piece_ * piece_ - piece_;
    share_ -= less;
    pool_.taken.fetch_sub(less, std::memory_order_relaxed);
  }
  // From any thread.
  std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  MemoryPool& pool_;
  const std::size_t piece_;
  std::size_t share_ = 0;  // taken from the pool
  std::atomic<std::size_t> used_ = 0;
};

// What one request holds of it; gives it back in the end.
class HeldBytes {
 public:
  explicit HeldBytes(MemoryShare& share) noexcept : share_(share) {}
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  ~HeldBytes() { (void)set(0); }

  // False when there is no room for that much; the former amount stays taken.
  bool set(std::size_t bytes) noexcept {
    if (bytes == held_) return true;
    if (bytes < held_) {
      share_.give_back(held_ - bytes);
    } else if (!share_.take(bytes - held_)) {
      return false;
    }
    held_ = bytes;
    return true;
  }

 private:
  MemoryShare& share_;
  std::size_t held_ = 0;
};

}  // namespace micro::rpc
