#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

namespace micro {

// Parses a duration in Go's notation: a sequence of decimal numbers, each with an optional fraction and a unit, such as
// "300ms", "-1.5h" or "2h45m". Units: ns, us (or µs), ms, s, m, h. "0" needs no unit.
// Fails with INVALID_ARGUMENT, naming the text and what was expected; values outside 64-bit nanoseconds fail too.
Result<Duration> parse_duration(std::string_view text);

// The shortest Go notation that parses back to the same value: "1.5s", "2h45m0s", "0s".
std::string format_duration(Duration duration);

// Parses a size in bytes: a decimal number with an optional unit, case-insensitive: B, KB, MB, GB, TB (powers of 1000) and
// KiB, MiB, GiB, TiB (powers of 1024); plain numbers are bytes. "4MiB", "1.5 GB", "4096".
// Fails with INVALID_ARGUMENT for negative values, unknown units, fractions of a byte and overflow.
Result<std::uint64_t> parse_size(std::string_view text);

// "4MiB", "1536B": the largest binary unit that divides the value exactly.
std::string format_size(std::uint64_t bytes);

}  // namespace micro
