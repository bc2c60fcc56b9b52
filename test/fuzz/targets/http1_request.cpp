// The request parser: the same events however the bytes were split; nothing that could smuggle a message gets through; what was
// read and is written again means the same.
#include <micro/http/field.hpp>
#include <micro/http1/parser.hpp>
#include <micro/http1/writer.hpp>

#include "fuzz.hpp"
#include "transcript.hpp"

namespace {

using micro::fuzz::require;
using micro::fuzz::require_equal;
namespace http = micro::http;
namespace http1 = micro::http1;

// Small, so that short inputs reach them.
constexpr http1::Limits kLimits{.max_start_line = 200,
                                .max_header_bytes = 400,
                                .max_header_count = 12,
                                .max_body = 300,
                                .max_chunk_line = 40,
                                .max_chunk_overhead = 100};

std::string run(std::string_view input, std::size_t step, const http1::Limits& limits) {
  http1::RequestParser parser(limits);
  return http1::transcript(parser, input, step, true);
}

void check_head(const http1::RequestHead& head) {
  require(http::is_token(head.method_name), "a method that is no token");
  require(!head.target.empty() && http::all_of_class(head.target, http::kTargetChar), "a target with foreign bytes");
  require(http::is_authority(head.authority()), "an authority with foreign bytes");
  for (const auto [name, value] : head.headers) {
    require(http::is_token(name) && http::is_field_value(value), "a field with foreign bytes");
    require(value == http::trim_blanks(value), "a field value with blanks around it");
  }
  require(head.headers.values("Transfer-Encoding").size() <= 1 && head.headers.values("Content-Length").size() <= 1,
          "two fields that frame a message");
  require(!(head.chunked && head.content_length), "two ways to frame a message");
  (void)head.path(), (void)head.query();
}

// What a proxy would do with it.
void check_rewritten(const http1::RequestHead& head) {
  micro::Buffer out;
  const auto body = head.chunked          ? http1::BodySize::chunked()
                    : head.content_length ? http1::BodySize::exactly(*head.content_length)
                                          : http1::BodySize::none();
  micro::Metadata headers = head.headers;
  // HTTP/1.0 has no expectations (RFC 9110 section 10.1.1): what stands there means nothing, and is not passed on.
  if (head.minor_version == 0) headers.remove("Expect");
  const auto written = http1::write_request_head(
      out,
      {.method = head.method_name, .target = head.target, .host = head.authority(), .body = body, .keep_alive = head.keep_alive},
      headers);
  require(written.has_value(), "a request that was read cannot be written");
  http1::RequestParser parser;
  std::string_view bytes = out.view();
  const auto event = parser.next(bytes);
  require(event && *event == http1::Event::kHead && bytes.empty(), "a request that was written is refused");
  const http1::RequestHead& again = parser.head();
  require_equal(again.method_name, head.method_name, "the method changes");
  require_equal(again.target, head.target, "the target changes");
  require_equal(again.authority(), head.authority(), "the authority changes");
  require(again.chunked == head.chunked && again.content_length == head.content_length, "the framing changes");
  require(again.keep_alive == head.keep_alive, "the connection's future changes");
}

}  // namespace

MICRO_FUZZ_TARGET(http1_request) {
  const std::size_t step = 2 + micro::fuzz::hash(input) % 61;
  for (const http1::Limits& limits : {http1::Limits{}, kLimits}) {
    const std::string whole = run(input, input.size() + 1, limits);
    require_equal(whole, run(input, 1, limits), "events depend on how the bytes were split (single bytes)");
    require_equal(whole, run(input, step, limits), "events depend on how the bytes were split");
  }

  http1::RequestParser parser;
  for (std::string_view rest = input;;) {
    const auto event = parser.next(rest);
    if (!event) {
      const int status = http::status_from(event.error());
      require(status >= 400 && status < 600, "an error without a status to answer");
      break;
    }
    if (*event == http1::Event::kNeedMore) break;
    if (*event != http1::Event::kHead) continue;
    check_head(parser.head());
    check_rewritten(parser.head());
  }
}
