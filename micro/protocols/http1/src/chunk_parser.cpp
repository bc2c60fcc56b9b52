// chunk-size [ chunk-ext ] CRLF (RFC 9112, section 7.1).

#include <algorithm>

#include <micro/http/field.hpp>
#include <micro/http1/parser.hpp>

#include "fault.hpp"

namespace micro::http1 {

namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void skip_blanks(std::string_view& rest) noexcept {
  while (rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
}

bool skip_token(std::string_view& rest) noexcept {
  std::size_t size = 0;
  while (size < rest.size() && http::has_class(rest[size], http::kTokenChar)) ++size;
  rest.remove_prefix(size);
  return size > 0;
}

bool skip_quoted(std::string_view& rest) noexcept {
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return true;
    }
    if (rest[i] == '\\') ++i;
  }
  return false;
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), nothing after it.
bool is_extension_list(std::string_view rest) noexcept {
  if (!http::is_field_value(rest)) return false;
  while (!rest.empty()) {
    skip_blanks(rest);
    if (!rest.starts_with(';')) return false;
    rest.remove_prefix(1);
    skip_blanks(rest);
    if (!skip_token(rest)) return false;
    std::string_view value = rest;
    skip_blanks(value);
    if (!value.starts_with('=')) continue;
    value.remove_prefix(1);
    skip_blanks(value);
    if (!(value.starts_with('"') ? skip_quoted(value) : skip_token(value))) return false;
    rest = value;
  }
  return true;
}

}  // namespace

Fault MessageParser::parse_chunk_line(std::string_view line) {
  if (!line.ends_with("\r\n")) return Fault::kBareLf;
  chunk_overhead_ += line.size() + 2;
  line.remove_suffix(2);
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line.size(); ++digits) {
    const int digit = hex_digit(line[digits]);
    if (digit < 0) break;
    if (size >> 60 != 0) return Fault::kChunkSize;
    size = size << 4 | static_cast<unsigned>(digit);
  }
  if (digits == 0) return Fault::kChunkSize;
  if (!is_extension_list(line.substr(digits))) return Fault::kChunkExtension;
  if (size > limits_.max_body - received_) return Fault::kBodySize;
  received_ += size;
  remaining_ = size;
  chunk_overhead_ -=
      static_cast<std::size_t>(std::min<std::uint64_t>(chunk_overhead_, 16 + 2 * std::min<std::uint64_t>(size, 1 << 30)));
  return chunk_overhead_ > limits_.max_chunk_overhead ? Fault::kChunkOverhead : Fault::kNone;
}

}  // namespace micro::http1
