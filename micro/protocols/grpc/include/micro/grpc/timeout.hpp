#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

namespace micro::grpc {

// The longest timeout parse_timeout returns (100 years): what a peer says beyond that is cut to it, so that "now + timeout"
// cannot overflow a time point.
inline constexpr Duration kLongestTimeout = std::chrono::hours(24 * 365 * 100);

// Reads a grpc-timeout value: 1 to 8 digits and a unit of H, M, S, m (ms), u (us), n (ns). Zero is taken and means that the
// deadline has passed. Fails with INTERNAL, as grpc-go does, naming the text and what was expected.
Result<Duration> parse_timeout(std::string_view value);

// A grpc-timeout value, without memory of its own.
class TimeoutText {
 public:
  explicit TimeoutText(Duration remaining) noexcept;
  std::string_view view() const noexcept { return {text_.data(), size_}; }
  operator std::string_view() const noexcept { return view(); }

 private:
  std::array<char, 11> text_;
  std::uint8_t size_ = 0;
};

// The remaining time on the wire: the finest unit in which it has at most 8 digits, rounded up, so the peer never gives up
// before the caller does (nor later by more than a part in 100,000). Nothing left, or less than that, is "1n": the protocol wants
// a positive number.
inline TimeoutText format_timeout(Duration remaining) noexcept { return TimeoutText(remaining); }

}  // namespace micro::grpc
