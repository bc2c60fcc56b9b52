#pragma once

#include <atomic>
#include <cstdint>

namespace micro::client {

// A number one loop writes and any thread reads. Not a read-modify-write: there is one writer.
class Count {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.store(get() + n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n = 1) noexcept { value_.store(get() - n, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

struct SlotCounters {
  Count calls;
  Count attempts;
  Count retries;
  Count failures;
  Count connects;
  Count open_connections;
};

}  // namespace micro::client
