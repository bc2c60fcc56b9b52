#include <micro/http/field.hpp>

#include <bit>
#include <cstring>

#include <micro/metadata/metadata.hpp>

namespace micro::http {

// Eight bytes a step: a byte below 0x20 or equal to 0x7f sets the high bit of its place (Mycroft's test). Borrows make false hits
// behind a true one only, so the first is right.
const char* skip_field_chars(const char* p, const char* end) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  while (end - p >= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    const std::uint64_t below_blank = (word - kOnes * 0x20) & ~word;
    const std::uint64_t deletes = word ^ (kOnes * 0x7f);
    const std::uint64_t hits = (below_blank | ((deletes - kOnes) & ~deletes)) & kHigh;
    if (hits == 0) {
      p += 8;
      continue;
    }
    if constexpr (std::endian::native == std::endian::little) p += std::countr_zero(hits) / 8;
    while (has_class(*p, kFieldChar) && *p != '\t') ++p;
    if (*p != '\t') return p;
    ++p;
  }
  while (p != end && has_class(*p, kFieldChar)) ++p;
  return p;
}

bool is_field_value(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return skip_field_chars(text.data(), end) == end;
}

bool is_authority(std::string_view text) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  if (p != end && *p == '[') {
    // An address of IPv6 or of a later version (RFC 3986, section 3.2.2).
    const char* const address = ++p;
    while (p != end && (has_class(*p, kNameChar) || *p == ':')) ++p;
    if (p == end || *p != ']' || p == address) return false;
    ++p;
  } else {
    while (p != end && has_class(*p, kNameChar)) ++p;
    if (p != end && p == text.data()) return false;
  }
  if (p == end) return true;
  if (*p != ':') return false;
  const char* const port = ++p;
  while (p != end && *p >= '0' && *p <= '9') ++p;
  return p == end && end - port <= 5;
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
