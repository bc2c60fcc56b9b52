#include "extension.hpp"

#include <micro/http/field.hpp>

namespace micro::websocket {
namespace {

void skip_blanks(std::string_view& text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool take(std::string_view& text, char wanted) noexcept {
  skip_blanks(text);
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

bool take_token(std::string_view& text, std::string& token) {
  skip_blanks(text);
  std::size_t size = 0;
  while (size < text.size() && http::has_class(text[size], http::kTokenChar)) ++size;
  token = text.substr(0, size);
  text.remove_prefix(size);
  return size != 0;
}

bool take_quoted(std::string_view& text, std::string& value) {
  value.clear();
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return http::is_token(value);
    if (c == '\\') {
      if (text.empty()) return false;
      c = text.front();
      text.remove_prefix(1);
    }
    value.push_back(c);
  }
  return false;
}

bool take_parameter(std::string_view& text, Extension& extension) {
  auto& [name, value] = extension.parameters.emplace_back();
  if (!take_token(text, name)) return false;
  if (!take(text, '=')) return true;
  value.emplace();
  return take(text, '"') ? take_quoted(text, *value) : take_token(text, *value);
}

}  // namespace

std::optional<std::vector<Extension>> parse_extensions(std::string_view text) {
  std::vector<Extension> extensions;
  while (true) {
    while (take(text, ',')) {
    }
    if (text.empty()) return extensions;
    Extension& extension = extensions.emplace_back();
    if (!take_token(text, extension.name)) return std::nullopt;
    while (take(text, ';')) {
      if (!take_parameter(text, extension)) return std::nullopt;
    }
    if (!text.empty() && !text.starts_with(',')) return std::nullopt;
  }
}

}  // namespace micro::websocket
