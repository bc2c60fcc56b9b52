#include <micro/http/media_type.hpp>

#include <algorithm>

#include <micro/http/field.hpp>
#include <micro/metadata/metadata.hpp>

namespace micro::http {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

void skip_blanks(std::string_view& rest) noexcept {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
}

std::string_view take_token(std::string_view& rest) noexcept {
  std::size_t size = 0;
  while (size < rest.size() && has_class(rest[size], kTokenChar)) ++size;
  const std::string_view token = rest.substr(0, size);
  rest.remove_prefix(size);
  return token;
}

// `rest` begins behind the opening quote. False when the closing one is missing or a byte may not stand there.
bool take_quoted(std::string_view& rest, std::string& value) {
  while (!rest.empty()) {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') return true;
    if (c == '\\') {
      if (rest.empty()) return false;
      c = rest.front();
      rest.remove_prefix(1);
    }
    if (!has_class(c, kFieldChar)) return false;
    value.push_back(c);
  }
  return false;
}

}  // namespace

Result<MediaType> MediaType::parse(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    std::string message = "cannot read media type '";
    message.append(text.substr(0, 128)).append("': ").append(why);
    return fail(invalid_argument(std::move(message)).with_reason("HTTP_MEDIA_TYPE"));
  };
  std::string_view rest = trim_blanks(text);
  MediaType out;
  out.type = lower(take_token(rest));
  if (out.type.empty() || !rest.starts_with('/')) return bad("expected type/subtype, such as application/json");
  rest.remove_prefix(1);
  out.subtype = lower(take_token(rest));
  if (out.subtype.empty()) return bad("the subtype after '/' is missing");
  while (true) {
    skip_blanks(rest);
    if (rest.empty()) return out;
    if (rest.front() != ';') return bad("expected ';' before a parameter");
    rest.remove_prefix(1);
    skip_blanks(rest);
    if (rest.empty() || rest.front() == ';') continue;  // empty parameters are allowed: RFC 9110, section 5.6.6
    auto& [name, value] = out.parameters.emplace_back(lower(take_token(rest)), std::string());
    if (name.empty() || !rest.starts_with('=')) return bad("a parameter must be name=value without blanks around '='");
    rest.remove_prefix(1);
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      if (!take_quoted(rest, value)) return bad("a quoted parameter value is not closed");
    } else {
      value = take_token(rest);
      if (value.empty()) return bad("a parameter has no value");
    }
  }
}

const std::string* MediaType::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : parameters) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string_view MediaType::suffix() const noexcept {
  const auto plus = subtype.rfind('+');
  return plus == std::string::npos ? std::string_view{} : std::string_view(subtype).substr(plus + 1);
}

std::string MediaType::to_string() const {
  std::string out = type + "/" + subtype;
  for (const auto& [name, value] : parameters) {
    out.append("; ").append(name).push_back('=');
    if (is_token(value)) {
      out += value;
      continue;
    }
    out.push_back('"');
    for (const char c : value) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  return out;
}

std::string_view media_type_essence(std::string_view text) noexcept { return trim_blanks(text.substr(0, text.find(';'))); }

bool is_media_type(std::string_view text, std::string_view essence) noexcept {
  return equals_ignore_case(media_type_essence(text), essence);
}

}  // namespace micro::http
