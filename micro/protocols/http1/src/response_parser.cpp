#include <micro/http/field.hpp>
#include <micro/http/status.hpp>
#include <micro/http1/parser.hpp>

#include "fault.hpp"

namespace micro::http1 {

void ResponseParser::reset(http::Method method) noexcept {
  restart();
  method_ = method;
  interim_ = 0;
}

Fault ResponseParser::parse_start_line(std::string_view line) {
  if (!line.ends_with("\r\n")) return Fault::kBareLf;
  line.remove_suffix(2);
  const auto blank = line.find(' ');
  if (blank == std::string_view::npos) return Fault::kStatusLine;
  if (const Fault fault = set_version(line.substr(0, blank)); fault != Fault::kNone) return fault;
  line.remove_prefix(blank + 1);
  int status = 0;
  const std::string_view digits = line.substr(0, 3);
  for (const char c : digits) {
    if (c < '0' || c > '9') return Fault::kStatusLine;
    status = status * 10 + (c - '0');
  }
  line.remove_prefix(digits.size());
  // The blank before an empty reason is required, but many servers leave it out.
  if (status < 100 || (!line.empty() && line.front() != ' ')) return Fault::kStatusLine;
  if (!line.empty()) line.remove_prefix(1);
  if (!http::is_field_value(line)) return Fault::kControlByte;
  head_.status = status;
  head_.reason.assign(line);
  return Fault::kNone;
}

Fault ResponseParser::finish_head() {
  finish_common();
  const bool interim = http::is_interim(head_.status) && head_.status != http::status::kSwitchingProtocols;
  const bool tunnel = method_ == http::Method::kConnect && head_.status >= 200 && head_.status < 300;
  if (!http::allows_body(head_.status) || method_ == http::Method::kHead || tunnel) {
    framing_ = Framing::kNone;
  } else if (!fields_.chunked && !fields_.has_content_length) {
    framing_ = Framing::kUntilClose;
    head_.keep_alive = false;
  }
  if (framing_ == Framing::kLength && fields_.content_length > limits_.max_body) return Fault::kBodySize;
  if (interim) return ++interim_ > limits_.max_interim ? Fault::kInterim : Fault::kNone;
  interim_ = 0;
  method_ = http::Method::kGet;
  return Fault::kNone;
}

bool ResponseParser::skip_head() noexcept {
  return skip_interim_ && http::is_interim(head_.status) && head_.status != http::status::kSwitchingProtocols;
}

}  // namespace micro::http1
