#pragma once

#include <atomic>
#include <cstdint>

namespace micro::etcd {

// Written by the registry's loop, read by any thread.
struct AtomicCounters {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> failovers = 0;
  std::atomic<std::uint64_t> logins = 0;
  std::atomic<std::uint64_t> leases_lost = 0;
  std::atomic<std::uint64_t> watches_broken = 0;
  std::atomic<std::uint64_t> relists = 0;
  std::atomic<std::uint64_t> malformed = 0;
};

}  // namespace micro::etcd
