// Field lines and what they say about the framing (RFC 9112, sections 5 and 6).

#include <micro/http/field.hpp>
#include <micro/http1/parser.hpp>
#include <micro/metadata/metadata.hpp>

#include "fault.hpp"
#include "trailer.hpp"

namespace micro::http1 {

namespace {

Fault parse_length(std::string_view text, std::uint64_t& out) noexcept {
  if (text.empty() || text.size() > 19) return Fault::kContentLength;  // 19 digits always fit
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return Fault::kContentLength;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  out = value;
  return Fault::kNone;
}

}  // namespace

Fault MessageParser::parse_field_line(std::string_view line, Metadata& into) {
  const char* p = line.data();
  const char* const end = p + line.size();
  if (*p == ' ' || *p == '\t') return Fault::kFolded;
  while (http::has_class(*p, http::kTokenChar)) ++p;
  const std::string_view name(line.data(), static_cast<std::size_t>(p - line.data()));
  if (*p != ':') {
    if (*p == ' ' || *p == '\t') return Fault::kBlankBeforeColon;
    if (*p == '\n') return Fault::kBareLf;
    return Fault::kFieldName;
  }
  if (name.empty()) return Fault::kEmptyName;
  ++p;
  while (*p == ' ' || *p == '\t') ++p;
  const char* const begin = p;
  p = http::skip_field_chars(p, end);
  if (end - p != 2 || *p != '\r') {
    if (*p == '\n') return Fault::kBareLf;
    return *p == '\r' ? Fault::kBareCr : Fault::kControlByte;
  }
  while (p != begin && (p[-1] == ' ' || p[-1] == '\t')) --p;
  const std::string_view value(begin, static_cast<std::size_t>(p - begin));

  if (state_ == State::kTrailers) {
    if (forbidden_in_trailers(name)) return Fault::kTrailer;
  } else if (const Fault fault = note_field(name, value); fault != Fault::kNone) {
    return fault;
  }
  into.add(name, value);
  return Fault::kNone;
}

Fault MessageParser::note_field(std::string_view name, std::string_view value) {
  const char first = static_cast<char>(name.front() | 0x20);
  switch (name.size()) {
    case 4:
      if (request_ && first == 'h' && equals_ignore_case(name, "Host")) {
        if (++fields_.hosts > 1) return Fault::kManyHosts;
        if (!http::is_authority(value)) return Fault::kHost;
      }
      break;
    case 6:
      if (request_ && first == 'e' && equals_ignore_case(name, "Expect") && common_.minor_version > 0) {
        if (!equals_ignore_case(value, "100-continue")) return Fault::kExpectation;
        fields_.expect_continue = true;
      }
      break;
    case 7:
      if (first == 'u' && equals_ignore_case(name, "Upgrade")) {
        fields_.has_upgrade = true;
        fields_.upgrade_h2c = fields_.upgrade_h2c || http::list_contains(value, "h2c");
        fields_.upgrade_websocket = fields_.upgrade_websocket || http::list_contains(value, "websocket");
      }
      break;
    case 10:
      if (first == 'c' && equals_ignore_case(name, "Connection")) note_connection(value);
      break;
    case 14:
      if (first == 'c' && equals_ignore_case(name, "Content-Length")) {
        if (fields_.has_content_length) return Fault::kManyContentLengths;
        if (fields_.chunked) return Fault::kLengthAndChunked;
        fields_.has_content_length = true;
        return parse_length(value, fields_.content_length);
      }
      if (first == 'h' && equals_ignore_case(name, "HTTP2-Settings") && fields_.http2_settings < 2) ++fields_.http2_settings;
      break;
    case 17:
      if (first == 't' && equals_ignore_case(name, "Transfer-Encoding")) return note_transfer_encoding(value);
      break;
    default:
      break;
  }
  return Fault::kNone;
}

Fault MessageParser::note_transfer_encoding(std::string_view value) {
  if (common_.minor_version == 0) return Fault::kChunkedOnOld;
  if (fields_.has_content_length) return Fault::kLengthAndChunked;
  bool any = false;
  for (std::string_view coding; http::next_list_item(value, coding);) {
    if (!equals_ignore_case(coding, "chunked")) return Fault::kCoding;
    if (fields_.chunked) return Fault::kManyCodings;
    fields_.chunked = any = true;
  }
  return any ? Fault::kNone : Fault::kManyCodings;
}

void MessageParser::note_connection(std::string_view value) {
  for (std::string_view token; http::next_list_item(value, token);) {
    if (equals_ignore_case(token, "close")) {
      fields_.close = true;
    } else if (equals_ignore_case(token, "keep-alive")) {
      fields_.keep_alive = true;
    } else if (equals_ignore_case(token, "Upgrade")) {
      fields_.connection_upgrade = true;
    } else if (equals_ignore_case(token, "HTTP2-Settings")) {
      fields_.connection_settings = true;
    }
  }
}

void MessageParser::finish_common() noexcept {
  const bool old = common_.minor_version == 0;
  common_.keep_alive = !fields_.close && (!old || fields_.keep_alive);
  common_.chunked = fields_.chunked;
  common_.content_length.reset();
  if (fields_.has_content_length) common_.content_length = fields_.content_length;
  common_.upgrade = !old && fields_.connection_upgrade && fields_.has_upgrade;
  framing_ = fields_.chunked ? Framing::kChunked : fields_.content_length > 0 ? Framing::kLength : Framing::kNone;
}

}  // namespace micro::http1
