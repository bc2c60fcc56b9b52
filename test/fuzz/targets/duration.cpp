// Durations and sizes of flags: what is read is written and read again as the same value.
#include <micro/duration/duration.hpp>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(duration) {
  using namespace micro;
  if (const auto duration = parse_duration(input)) {
    const std::string text = format_duration(*duration);
    const auto again = parse_duration(text);
    fuzz::require(again && *again == *duration, "a duration changes when it is written and read again: " + text);
  }
  if (const auto size = parse_size(input)) {
    const std::string text = format_size(*size);
    const auto again = parse_size(text);
    fuzz::require(again && *again == *size, "a size changes when it is written and read again: " + text);
  }
}
