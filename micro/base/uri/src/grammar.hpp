#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <micro/error/error.hpp>

// Pieces of RFC 3986's grammar that URIs and addresses share.
namespace micro::uri {

// Sets of characters, to be combined with |. Each stands for a rule of RFC 3986, appendix A.
enum Chars : std::uint16_t {
  kAlpha = 1,
  kDigit = 2,
  kHexLetter = 4,
  kMark = 8,       // - . _ ~
  kSubDelim = 16,  // ! $ & ' ( ) * + , ; =
  kColon = 32,
  kAt = 64,
  kSlash = 128,
  kQuestion = 256,
};
inline constexpr unsigned kUnreserved = kAlpha | kDigit | kMark;
inline constexpr unsigned kRegName = kUnreserved | kSubDelim;
inline constexpr unsigned kUserinfo = kRegName | kColon;
inline constexpr unsigned kPath = kUserinfo | kAt | kSlash;
inline constexpr unsigned kQuery = kPath | kQuestion;  // and the fragment

bool is_in(char c, unsigned set) noexcept;
// Whether text[at] begins a complete %XX.
bool is_escape(std::string_view text, std::size_t at) noexcept;
// The text with every %XX replaced, which must all be complete.
std::string decode(std::string_view text);
// The text with everything outside `set` escaped.
std::string encode(std::string_view text, unsigned set);
// IPv6address of RFC 3986, section 3.2.2 (no zone).
bool is_ipv6(std::string_view text) noexcept;
// "80", 0 to 65535, at most five digits.
std::optional<std::uint16_t> parse_port(std::string_view text) noexcept;

// `'x'`, or `byte 0x1b` for what is not printable.
std::string describe(char c);

}  // namespace micro::uri
