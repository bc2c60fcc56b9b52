#include "percent.hpp"

#include <cstddef>

namespace micro::transcoding {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<char> escape_at(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  const int high = hex_digit(text[1]);
  const int low = hex_digit(text[2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

bool equals_decoded(std::string_view encoded, std::string_view plain) noexcept {
  for (const char expected : plain) {
    if (encoded.empty()) return false;
    if (encoded[0] != '%') {
      if (encoded[0] != expected) return false;
      encoded.remove_prefix(1);
    } else {
      if (escape_at(encoded) != expected) return false;
      encoded.remove_prefix(3);
    }
  }
  return encoded.empty();
}

std::optional<std::string> decode(std::string_view encoded, Slashes slashes) {
  std::string out;
  out.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      out.push_back(encoded[i]);
      continue;
    }
    const std::optional<char> escaped = escape_at(encoded.substr(i));
    if (!escaped) return std::nullopt;
    if (*escaped == '/' && slashes == Slashes::kKept) {
      out.append(encoded.substr(i, 3));
    } else {
      out.push_back(*escaped);
    }
    i += 2;
  }
  return out;
}

}  // namespace micro::transcoding
