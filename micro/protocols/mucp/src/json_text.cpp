#include "json_text.hpp"

#include <cstddef>

#include <nlohmann/json.hpp>

#include <micro/grpc/proto_wire.hpp>

namespace micro::mucp {
namespace {

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void skip_blanks(std::string_view& text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

// Behind the string that begins at `at`; npos when it does not end.
std::size_t string_end(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return std::string_view::npos;
}

std::size_t value_end(std::string_view text) noexcept {
  if (text.front() == '"') return string_end(text, 0);
  if (text.front() != '{' && text.front() != '[') {
    std::size_t at = 0;
    while (at < text.size() && !is_blank(text[at]) && std::string_view(",:]}{[\"").find(text[at]) == std::string_view::npos) ++at;
    return at == 0 ? std::string_view::npos : at;
  }
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      if (at == std::string_view::npos) return at;
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<std::string_view> take_json(std::string_view& text) noexcept {
  skip_blanks(text);
  if (text.empty()) return std::nullopt;
  const std::size_t end = value_end(text);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(end);
  return value;
}

bool find_member(std::string_view object, std::string_view name, std::string_view& value) noexcept {
  value = {};
  if (object.size() < 2 || object.front() != '{') return false;
  object.remove_prefix(1);
  while (true) {
    skip_blanks(object);
    if (object.empty()) return false;
    if (object.front() == '}') return true;
    const auto key = take_json(object);
    skip_blanks(object);
    if (!key || key->front() != '"' || object.empty() || object.front() != ':') return false;
    object.remove_prefix(1);
    const auto member = take_json(object);
    if (!member) return false;
    if (key->substr(1, key->size() - 2) == name) value = *member;
    skip_blanks(object);
    if (!object.empty() && object.front() == ',') object.remove_prefix(1);
  }
}

std::string scalar_text(std::string_view json) {
  if (json.empty() || json == "null" || json.front() == '{' || json.front() == '[') return {};
  if (json.front() != '"') return std::string(json);
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  return parsed.is_string() ? parsed.get<std::string>() : std::string();
}

void append_go_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::string mended = grpc::proto::to_utf8(text);
  out.push_back('"');
  for (std::size_t i = 0; i < mended.size(); ++i) {
    const char c = mended[i];
    const std::string_view rest = std::string_view(mended).substr(i);
    if (c == '"' || c == '\\') {
      out.append(1, '\\').push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&' || c == '\x7f') {
      out.append("\\u00").append(1, kHex[static_cast<unsigned char>(c) >> 4]).push_back(kHex[static_cast<unsigned char>(c) & 15]);
    } else if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) {
      out += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (rest.starts_with("\xef\xbf\xbd")) {
      out += "\\ufffd";
      i += 2;
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace micro::mucp
