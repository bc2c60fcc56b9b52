#include "grammar.hpp"

#include <algorithm>
#include <array>

#include <micro/uri/uri.hpp>

namespace micro {
namespace uri {
namespace {

constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> table{};
  const auto set = [&table](std::string_view characters, unsigned bit) {
    for (const char c : characters) table[static_cast<unsigned char>(c)] |= static_cast<std::uint16_t>(bit);
  };
  set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kAlpha);
  set("0123456789", kDigit);
  set("abcdefABCDEF", kHexLetter);
  set("-._~", kMark);
  set("!$&'()*+,;=", kSubDelim);
  set(":", kColon);
  set("@", kAt);
  set("/", kSlash);
  set("?", kQuestion);
  return table;
}

constexpr std::array<std::uint16_t, 256> kTable = make_table();

int hex_value(char c) noexcept { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

bool is_ipv4(std::string_view text) noexcept {
  for (int part = 0; part < 4; ++part) {
    const std::string_view digits = text.substr(0, text.find('.'));
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return false;
    const auto value = parse_port(digits);
    if (!value || *value > 255) return false;
    text.remove_prefix(digits.size());
    if (part == 3) return text.empty();
    if (text.empty()) return false;
    text.remove_prefix(1);
  }
  return false;
}

}  // namespace

bool is_in(char c, unsigned set) noexcept { return (kTable[static_cast<unsigned char>(c)] & set) != 0; }

bool is_escape(std::string_view text, std::size_t at) noexcept {
  constexpr unsigned kHex = kDigit | kHexLetter;
  return text.size() - at >= 3 && text[at] == '%' && is_in(text[at + 1], kHex) && is_in(text[at + 2], kHex);
}

std::string decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string encode(std::string_view text, unsigned set) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_in(c, set)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append({'%', kHexDigits[byte >> 4], kHexDigits[byte & 15]});
    }
  }
  return out;
}

bool is_ipv6(std::string_view text) noexcept {
  int groups = 0;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const std::string_view group = text.substr(0, text.find(':'));
    if (group.contains('.')) {
      if (group.size() != text.size() || !is_ipv4(group)) return false;
      groups += 2;
      break;
    }
    const bool hex = std::ranges::all_of(group, [](char c) { return is_in(c, kDigit | kHexLetter); });
    if (group.empty() || group.size() > 4 || !hex) return false;
    ++groups;
    text.remove_prefix(group.size());
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.empty()) return false;  // a single colon at the end
    if (text.front() == ':') {
      if (gap) return false;
      gap = true;
      text.remove_prefix(1);
    }
  }
  return gap ? groups <= 7 : groups == 8;
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (!is_in(c, kDigit)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

std::string describe(char c) {
  if (c >= 0x20 && c < 0x7f) return {'\'', c, '\''};
  return "byte 0x" + encode({&c, 1}, 0).substr(1);
}

}  // namespace uri

std::string percent_encode(std::string_view text) { return uri::encode(text, uri::kUnreserved); }

Result<std::string> percent_decode(std::string_view text, bool plus_as_space) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && !uri::is_escape(text, i)) {
      std::string message = "cannot percent-decode \"";
      message.append(text).append("\": '%' at position ").append(std::to_string(i));
      return fail(invalid_argument(message.append(" is not followed by two hex digits; write \"%25\" for a literal '%'")));
    }
  }
  if (!plus_as_space) return uri::decode(text);
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return uri::decode(spaced);
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(field.size() + 1, query.size()));
    if (field.empty()) continue;
    const std::size_t equals = std::min(field.find('='), field.size());
    Result<std::string> key = percent_decode(field.substr(0, equals), true);
    if (!key) return fail(std::move(key).error());
    Result<std::string> value = percent_decode(field.substr(std::min(equals + 1, field.size())), true);
    if (!value) return fail(std::move(value).error());
    pairs.emplace_back(*std::move(key), *std::move(value));
  }
  return pairs;
}

}  // namespace micro
