#include "field_path.hpp"

namespace micro::codec {
namespace {

bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

bool is_field_path(std::string_view path) noexcept {
  bool at_start = true;
  for (const char c : path) {
    if (c == '.') {
      if (at_start) return false;
      at_start = true;
      continue;
    }
    if (!is_lower(c) && !is_upper(c) && c != '_' && (at_start || !is_digit(c))) return false;
    at_start = false;
  }
  return !at_start;
}

std::optional<std::string> field_path_from_json(std::string_view path) {
  if (!is_field_path(path)) return std::nullopt;
  std::string out;
  for (const char c : path) {
    if (c == '_') return std::nullopt;
    if (is_upper(c)) {
      out += {'_', static_cast<char>(c - 'A' + 'a')};
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::optional<std::string> field_path_to_json(std::string_view path) {
  if (!is_field_path(path)) return std::nullopt;
  std::string out;
  bool after_underscore = false;
  for (const char c : path) {
    if (is_upper(c) || (after_underscore && !is_lower(c))) return std::nullopt;
    if (c != '_') out.push_back(after_underscore ? static_cast<char>(c - 'a' + 'A') : c);
    after_underscore = c == '_';
  }
  if (after_underscore) return std::nullopt;
  return out;
}

}  // namespace micro::codec
