#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace micro::codec {

// How many bytes from `p` on stand in a JSON string as they are and need no look: ASCII without control characters, " and \.
std::size_t plain_prefix(const char* p, const char* end) noexcept;

// The length (2 to 4) of the well-formed UTF-8 sequence of a non-ASCII character at `p`, or 0 (RFC 3629: no surrogates, no
// overlong forms, nothing above U+10FFFF).
std::size_t utf8_sequence(const char* p, const char* end) noexcept;

void append_utf8(std::string& out, char32_t character);

// The escape of an ASCII character that plain_prefix() stops at, "\n" or "\u001f", written to `out` (6 bytes); returns its end.
char* escape(char c, char* out) noexcept;

// `text`, which must be valid UTF-8, as a JSON string with its quotes.
std::string json_quoted(std::string_view text);

// `text` for an error message: in quotes, cut to 40 bytes or a few more, bytes that are not printable ASCII or valid UTF-8 as
// \xNN.
std::string shown(std::string_view text);

// The text of a number for an error message, cut to 40 bytes.
std::string shown_number(std::string_view digits);

// Base64 with padding (RFC 4648, section 4). `out` has room for base64_size(bytes.size()).
constexpr std::size_t base64_size(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }
void base64_encode(std::string_view bytes, char* out) noexcept;

// Reads base64 and base64url, padded or not. nullopt for anything else, bits left over in the last digit among it.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace micro::codec
