#include <micro/http/field.hpp>

#include <cstring>

#include <micro/metadata/metadata.hpp>

namespace micro::http {

// Eight bytes a step: a byte below 0x20 or equal to 0x7f sets the high bit of its place
// (Mycroft's test; a false hit only costs the bytewise check).
const char* skip_field_chars(const char* p, const char* end) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  while (end - p >= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    const std::uint64_t below_blank = (word - kOnes * 0x20) & ~word;
    const std::uint64_t deletes = word ^ (kOnes * 0x7f);
    if (((below_blank | ((deletes - kOnes) & ~deletes)) & kHigh) != 0) {
      const char* stop = p + 8;
      while (p != stop && has_class(*p, kFieldChar)) ++p;
      if (p != stop) return p;
      continue;
    }
    p += 8;
  }
  while (p != end && has_class(*p, kFieldChar)) ++p;
  return p;
}

bool is_field_value(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return skip_field_chars(text.data(), end) == end;
}

bool is_authority(std::string_view text) noexcept {
  if (!all_of_class(text, kHostChar)) return false;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos || close == 1) return false;
    if (text.substr(1, close - 1).find_first_of("[") != std::string_view::npos) return false;
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') return false;
  } else {
    if (text.find_first_of("[]") != std::string_view::npos) return false;
    const auto colon = text.find(':');
    port = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
    if (colon == 0) return false;
  }
  if (!port.empty()) port.remove_prefix(1);
  return port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool next_list_item(std::string_view& list, std::string_view& item) noexcept {
  while (!list.empty()) {
    const auto comma = list.find(',');
    item = trim_blanks(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    if (!item.empty()) return true;
  }
  return false;
}

bool list_contains(std::string_view list, std::string_view token) noexcept {
  for (std::string_view item; next_list_item(list, item);) {
    if (equals_ignore_case(item, token)) return true;
  }
  return false;
}

}  // namespace micro::http
