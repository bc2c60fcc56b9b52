#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// The grammar of header fields (RFC 9110, section 5). Pure functions over views, safe from any thread.
namespace micro::http {

// Classes of bytes, one table lookup a byte.
enum CharClass : std::uint8_t {
  kTokenChar = 1,   // tchar: field names, methods, parameter names
  kFieldChar = 2,   // VCHAR, obs-text, SP and HTAB: what a field value may hold
  kTargetChar = 4,  // visible ASCII but '#': what a request target may hold
  kNameChar = 8,    // unreserved, sub-delims and '%': what the name of a host may hold (RFC 3986, section 3.2.2)
};

namespace detail {
consteval std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&table](std::string_view chars, std::uint8_t classes) {
    for (const char c : chars) table[static_cast<unsigned char>(c)] |= classes;
  };
  mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", kTokenChar | kNameChar);
  mark("!#$%&'*+-.^_`|~", kTokenChar);
  mark("-._~!$&'()*+,;=%", kNameChar);
  for (unsigned c = 0; c < 256; ++c) {
    if ((c >= 0x20 && c != 0x7f) || c == '\t') table[c] |= kFieldChar;
    if (c > 0x20 && c < 0x7f && c != '#') table[c] |= kTargetChar;
  }
  return table;
}
inline constexpr auto kCharClasses = make_char_classes();
}  // namespace detail

constexpr bool has_class(char c, CharClass wanted) noexcept {
  return (detail::kCharClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

// True when every byte of `text` has the class; also for an empty text.
constexpr bool all_of_class(std::string_view text, CharClass wanted) noexcept {
  for (const char c : text) {
    if (!has_class(c, wanted)) return false;
  }
  return true;
}

// A non-empty run of token characters: the rule for field names and methods.
constexpr bool is_token(std::string_view text) noexcept { return !text.empty() && all_of_class(text, kTokenChar); }

// No control bytes but HTAB, so no header can be smuggled in by CR, LF or NUL. Leading and trailing blanks are allowed here.
bool is_field_value(std::string_view text) noexcept;

// The first byte in [begin, end) that a field value may not hold, or `end`. The inner loop of parsers.
const char* skip_field_chars(const char* begin, const char* end) noexcept;

// host [":" port] with a port of digits only; an empty text is allowed (RFC 9110, section 7.2).
bool is_authority(std::string_view text) noexcept;

// `text` without the blanks (SP, HTAB) around it.
std::string_view trim_blanks(std::string_view text) noexcept;

// Takes the next element off the comma-separated `list`, blanks trimmed, empty elements skipped (RFC 9110, section 5.6.1.2).
// False when none is left. Knows nothing of quoted strings: for token lists such as Connection.
bool next_list_item(std::string_view& list, std::string_view& item) noexcept;

// Whether the token list holds `token`, compared without regard to case.
bool list_contains(std::string_view list, std::string_view token) noexcept;

}  // namespace micro::http
