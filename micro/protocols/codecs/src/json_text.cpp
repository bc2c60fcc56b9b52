#include "json_text.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace micro::codec {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101u;
constexpr std::uint64_t kHighs = 0x8080808080808080u;

constexpr bool is_plain(unsigned char c) noexcept { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

// The high bit of each byte that is zero. Exact up to and including the first one, which is all that is asked.
constexpr std::uint64_t zero_bytes(std::uint64_t word) noexcept { return (word - kOnes) & ~word & kHighs; }

constexpr std::size_t kLongestShown = 40;

constexpr char kHex[] = "0123456789abcdef";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t kNoDigit = 0xff;
constexpr auto kBase64Digits = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 64; ++i) digits[static_cast<unsigned char>(kBase64[i])] = i;
  digits['-'] = 62;
  digits['_'] = 63;
  return digits;
}();

bool continues(const char* p) noexcept { return (static_cast<unsigned char>(*p) & 0xc0) == 0x80; }

}  // namespace

std::size_t plain_prefix(const char* p, const char* end) noexcept {
  const char* const begin = p;
  if constexpr (std::endian::native == std::endian::little) {
    while (end - p >= 8) {
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      const std::uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
      const std::uint64_t stops =
          control | (word & kHighs) | zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\'));
      if (stops != 0) return static_cast<std::size_t>(p - begin) + static_cast<std::size_t>(std::countr_zero(stops)) / 8;
      p += 8;
    }
  }
  while (p != end && is_plain(static_cast<unsigned char>(*p))) ++p;
  return static_cast<std::size_t>(p - begin);
}

std::size_t utf8_sequence(const char* p, const char* end) noexcept {
  const auto lead = static_cast<unsigned char>(*p);
  const auto left = end - p;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return left >= 2 && continues(p + 1) ? 2 : 0;
  if (left < 3 || !continues(p + 1) || !continues(p + 2)) return 0;
  const auto second = static_cast<unsigned char>(p[1]);
  if (lead < 0xf0) {
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
    return 3;
  }
  if (left < 4 || !continues(p + 3)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return 4;
}

void append_utf8(std::string& out, char32_t c) {
  const auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | ((c >> shift) & 0x3f))); };
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (c >> 6)));
    tail(0);
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (c >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | (c >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

char* escape(char c, char* out) noexcept {
  *out++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *out++ = c;
      return out;
    case '\b':
      *out++ = 'b';
      return out;
    case '\f':
      *out++ = 'f';
      return out;
    case '\n':
      *out++ = 'n';
      return out;
    case '\r':
      *out++ = 'r';
      return out;
    case '\t':
      *out++ = 't';
      return out;
    default:
      break;
  }
  std::memcpy(out, "u00", 3);
  out[3] = kHex[static_cast<unsigned char>(c) >> 4];
  out[4] = kHex[c & 0xf];
  return out + 5;
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (is_plain(static_cast<unsigned char>(c)) || (c & 0x80) != 0) {
      out.push_back(c);
    } else {
      char escaped[6];
      out.append(escaped, static_cast<std::size_t>(escape(c, escaped) - escaped));
    }
  }
  out.push_back('"');
  return out;
}

std::string shown(std::string_view text) {
  std::string out = "\"";
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end && out.size() <= kLongestShown) {
    const auto c = static_cast<unsigned char>(*p);
    const std::size_t sequence = c >= 0x80 ? utf8_sequence(p, end) : 0;
    if (sequence != 0) {
      out.append(p, sequence);
      p += sequence;
      continue;
    }
    if (c >= 0x20 && c < 0x7f) {
      out.push_back(*p);
    } else {
      out += {'\\', 'x', kHex[c >> 4], kHex[c & 0xf]};
    }
    ++p;
  }
  out += p == end ? "\"" : "...\"";
  return out;
}

std::string shown_number(std::string_view digits) {
  return std::string(digits.substr(0, kLongestShown)) + (digits.size() > kLongestShown ? "..." : "");
}

void base64_encode(std::string_view bytes, char* out) noexcept {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, p += 3) {
    *out++ = kBase64[p[0] >> 2];
    *out++ = kBase64[(p[0] & 0x03) << 4 | p[1] >> 4];
    *out++ = kBase64[(p[1] & 0x0f) << 2 | p[2] >> 6];
    *out++ = kBase64[p[2] & 0x3f];
  }
  if (left == 0) return;
  const unsigned second = left == 2 ? p[1] : 0;
  *out++ = kBase64[p[0] >> 2];
  *out++ = kBase64[(p[0] & 0x03) << 4 | second >> 4];
  *out++ = left == 2 ? kBase64[(second & 0x0f) << 2] : '=';
  *out = '=';
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::size_t size = text.size();
  if (size % 4 == 0) {
    for (int padding = 0; padding < 2 && size > 0 && text[size - 1] == '='; ++padding) --size;
  }
  if (size % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(size / 4 * 3 + 2);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint8_t digit = kBase64Digits[static_cast<unsigned char>(text[i])];
    if (digit == kNoDigit) return std::nullopt;
    bits = bits << 6 | digit;
    switch (i % 4) {
      case 1:
        out.push_back(static_cast<char>(bits >> 4));
        break;
      case 2:
        out.push_back(static_cast<char>(bits >> 2));
        break;
      case 3:
        out.push_back(static_cast<char>(bits));
        break;
      default:
        break;
    }
  }
  // A last digit of which not all bits are used, with others than zero there: nobody encodes like that, and protobuf refuses it
  // too (RFC 4648, section 3.5).
  const std::uint32_t unused = size % 4 == 2 ? 0x0f : size % 4 == 3 ? 0x03 : 0;
  if ((bits & unused) != 0) return std::nullopt;
  return out;
}

}  // namespace micro::codec
