#pragma once

#include <cstdint>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

namespace micro::retry {

// When and how often a failed call is tried again.
struct Options {
  // Attempts in all, the first included; 1 switches retries off.
  int max_attempts = 3;
  // Wait before attempt n+1: a random time up to min(max_backoff, base_backoff * 2^(n-1)) ("full jitter"), so that the clients of
  // a server that comes back do not all arrive at once. An attempt that never reached a server is repeated at once elsewhere.
  Duration base_backoff = std::chrono::milliseconds(10);
  Duration max_backoff = std::chrono::seconds(1);
};

// How far a failed attempt got, which decides whether repeating it is safe.
enum class Progress : std::uint8_t {
  kNotSent,     // provably not processed: no connection, or refused by the peer (REFUSED_STREAM, GOAWAY): safe for every method
  kSent,        // may have been processed: safe for idempotent methods only
  kReplyBegun,  // part of the answer was handed to the caller: never repeated
};

struct Attempt {
  int number = 1;  // the attempt that just failed, counted from 1
  Progress progress = Progress::kSent;
  bool idempotent = false;
};

struct Decision {
  bool retry = false;
  Duration wait{};
};

// Pure: `random` is any 64-bit random number, `remaining` the time the caller still has (a wait that does not fit is not begun).
// Only UNAVAILABLE is repeated for idempotent methods that were sent; what was not sent is repeated whatever its code, except
// CANCELLED and DEADLINE_EXCEEDED.
Decision decide(const Options& options, const Attempt& attempt, Code code, Duration remaining, std::uint64_t random) noexcept;

}  // namespace micro::retry
