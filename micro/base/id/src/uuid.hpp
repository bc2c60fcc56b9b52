#pragma once

#include <cstdint>
#include <string>

namespace micro::id {

// Makes version 7 UUIDs that ascend, from times and random numbers given to it (RFC 9562, section 6.2, method 1): the 12 bits
// after the time count within a millisecond, from a random start in the lower half. A full counter, or a clock that went back,
// borrows from the next millisecond.
class Sequence {
 public:
  // `milliseconds` since 1970, and two random numbers.
  std::string next(std::uint64_t milliseconds, std::uint64_t random_count, std::uint64_t random_tail);

 private:
  std::uint64_t milliseconds_ = 0;
  std::uint64_t count_ = 0;
};

// The text form of 128 bits.
std::string format_uuid(std::uint64_t high, std::uint64_t low);

}  // namespace micro::id
