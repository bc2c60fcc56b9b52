#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace micro::websocket {

// Checks UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF) that comes in pieces, and fails at the first
// byte that cannot stand where it does.
class Utf8Checker {
 public:
  // False for a wrong byte; the checker is of no more use then.
  bool feed(std::string_view piece) noexcept;
  // No character is unfinished.
  bool complete() const noexcept { return missing_ == 0; }
  void reset() noexcept { *this = {}; }

 private:
  std::uint8_t missing_ = 0;  // bytes to come of the character under way
  // What the next byte of it may be.
  std::uint8_t low_ = 0x80;
  std::uint8_t high_ = 0xbf;
};

inline bool is_utf8(std::string_view text) noexcept {
  Utf8Checker checker;
  return checker.feed(text) && checker.complete();
}

}  // namespace micro::websocket
