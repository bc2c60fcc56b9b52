#include "json_string.hpp"

#include <cstddef>

namespace micro::http {

namespace {

constexpr unsigned char byte_at(std::string_view text, std::size_t index) noexcept {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0;
}

// Length of the UTF-8 sequence at the front of `text`, 0 when it is none: overlong forms, surrogates and values past U+10FFFF are
// not (Unicode 15, table 3-7).
std::size_t utf8_size(std::string_view text) noexcept {
  const unsigned char lead = byte_at(text, 0);
  const unsigned char second = byte_at(text, 1);
  const auto continues = [text](std::size_t index) { return (byte_at(text, index) & 0xc0) == 0x80; };
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4 || !continues(1)) return 0;
  if (lead < 0xe0) return 2;
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || !continues(2)) return 0;
  if (lead < 0xf0) return 3;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f) || !continues(3)) return 0;
  return 4;
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
  out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;  // begin of the bytes that can be copied as they are
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    const bool escape = c == '"' || c == '\\' || c == '\x7f' || static_cast<unsigned char>(c) < 0x20;
    const std::size_t size = escape ? 0 : utf8_size(text.substr(i));
    if (size > 0) {
      i += size;
      continue;
    }
    out.append(text.substr(plain, i - plain));
    if (escape) {
      append_escaped(out, c);
    } else {
      out += "\xef\xbf\xbd";
    }
    plain = ++i;
  }
  out.append(text.substr(plain));
  out.push_back('"');
}

}  // namespace micro::http
