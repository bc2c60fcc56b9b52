#include <algorithm>
#include <cstring>

#include <micro/http/field.hpp>
#include <micro/http1/parser.hpp>

#include "fault.hpp"

namespace micro::http1 {

namespace {

using http::Method;

// "HTTP/" DIGIT "." DIGIT
bool is_version(std::string_view text) noexcept {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 8 && text.starts_with("HTTP/") && digit(text[5]) && text[6] == '.' && digit(text[7]);
}

bool is_scheme(std::string_view text) noexcept {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !letter(text.front())) return false;
  for (const char c : text) {
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.') return false;
  }
  return true;
}

}  // namespace

Fault MessageParser::set_version(std::string_view text) noexcept {
  if (text == "HTTP/1.1") {
    common_.minor_version = 1;
    return Fault::kNone;
  }
  if (!is_version(text)) return Fault::kVersionSyntax;
  if (text[5] != '1') return Fault::kVersion;
  common_.minor_version = text[7] == '0' ? 0 : 1;  // later minor versions are read as 1.1: RFC 9110, section 2.5
  return Fault::kNone;
}

std::string_view RequestHead::path() const noexcept {
  const std::string_view path = std::string_view(target).substr(path_begin, path_end - path_begin);
  if (!path.empty() || form != TargetForm::kAbsolute) return path;
  return method == Method::kOptions && path_end == target.size() ? "*" : "/";
}

std::string_view RequestHead::query() const noexcept {
  return path_end < target.size() ? std::string_view(target).substr(path_end + 1) : std::string_view{};
}

std::string_view RequestHead::authority() const noexcept {
  if (authority_end == 0) return headers.get("Host");
  return std::string_view(target).substr(authority_begin, authority_end - authority_begin);
}

Fault RequestParser::parse_start_line(std::string_view line) {
  // The LF at the end belongs to no class, so the loops stop there at the latest.
  const char* p = line.data();
  const char* const end = p + line.size();
  if (line.size() < 2 || end[-2] != '\r') return Fault::kBareLf;
  while (http::has_class(*p, http::kTokenChar)) ++p;
  const std::string_view method(line.data(), static_cast<std::size_t>(p - line.data()));
  if (method.empty() || *p != ' ') return p + 2 == end ? Fault::kStartLine : Fault::kMethod;
  const char* const begin = ++p;
  while (http::has_class(*p, http::kTargetChar)) ++p;
  const std::string_view target(begin, static_cast<std::size_t>(p - begin));
  if (*p != ' ') return p + 2 == end ? Fault::kStartLine : Fault::kTarget;
  if (target.empty()) return Fault::kStartLine;
  ++p;
  if (const Fault fault = set_version({p, static_cast<std::size_t>(end - 2 - p)}); fault != Fault::kNone) return fault;
  head_.method = http::method_from_string(method);
  head_.method_name.assign(method);
  head_.target.assign(target);
  return parse_target();
}

Fault RequestParser::parse_target() {
  const std::string_view target = head_.target;
  const auto size = static_cast<std::uint32_t>(target.size());
  head_.authority_begin = head_.authority_end = 0;
  head_.path_begin = 0;
  head_.path_end = size;
  if (head_.method == Method::kConnect) {
    head_.form = TargetForm::kAuthority;
    const auto colon = target.rfind(':');
    if (!http::is_authority(target) || colon == std::string_view::npos || colon + 1 == size ||
        target.find(']', colon) != std::string_view::npos) {
      return Fault::kTargetForm;
    }
    head_.authority_end = size;
    head_.path_begin = size;
    return Fault::kNone;
  }
  if (target.front() == '/') {
    head_.form = TargetForm::kOrigin;
    if (const void* mark = std::memchr(target.data(), '?', size)) {
      head_.path_end = static_cast<std::uint32_t>(static_cast<const char*>(mark) - target.data());
    }
    return Fault::kNone;
  }
  if (target == "*") {
    head_.form = TargetForm::kAsterisk;
    return head_.method == Method::kOptions ? Fault::kNone : Fault::kTargetForm;
  }
  return parse_absolute_target();
}

Fault RequestParser::parse_absolute_target() {
  const std::string_view target = head_.target;
  const auto colon = target.find("://");
  if (colon == std::string_view::npos || !is_scheme(target.substr(0, colon))) return Fault::kTargetForm;
  head_.form = TargetForm::kAbsolute;
  const auto begin = colon + 3;
  const auto path = std::min(target.find_first_of("/?", begin), target.size());
  const std::string_view authority = target.substr(begin, path - begin);
  if (authority.empty() || !http::is_authority(authority)) return Fault::kAuthority;
  head_.authority_begin = static_cast<std::uint32_t>(begin);
  head_.authority_end = static_cast<std::uint32_t>(path);
  head_.path_begin = static_cast<std::uint32_t>(path);
  head_.path_end = static_cast<std::uint32_t>(std::min(target.find('?', path), target.size()));
  return Fault::kNone;
}

Fault RequestParser::finish_head() {
  if (fields_.hosts == 0 && head_.minor_version > 0) return Fault::kNoHost;
  finish_common();
  if (head_.content_length.value_or(0) > limits_.max_body) return Fault::kBodySize;
  head_.expect_continue = fields_.expect_continue && head_.has_body();
  head_.upgrade_h2c = head_.upgrade && fields_.upgrade_h2c && fields_.http2_settings == 1 && fields_.connection_settings;
  head_.upgrade_websocket = head_.upgrade && fields_.upgrade_websocket && head_.method == Method::kGet;
  return Fault::kNone;
}

}  // namespace micro::http1
