#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace micro::http {

inline constexpr std::size_t kDateSize = 29;

// Writes "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, RFC 9110, section 5.6.7), kDateSize bytes without a terminator.
// `unix_seconds` is a time_t; values outside the years 0 to 9999 are taken to the nearest one inside.
void format_date(std::int64_t unix_seconds, char* out) noexcept;

// The value of the Date header, formatted once a second however often it is asked for. It reads no clock: the caller passes the
// time. One object a loop; not thread-safe. The view is valid until the next call with another second.
class DateCache {
 public:
  std::string_view at(std::int64_t unix_seconds) noexcept {
    if (unix_seconds != second_ || !filled_) refresh(unix_seconds);
    return {text_.data(), text_.size()};
  }

 private:
  void refresh(std::int64_t unix_seconds) noexcept;

  std::int64_t second_ = 0;
  bool filled_ = false;
  std::array<char, kDateSize> text_{};
};

}  // namespace micro::http
