// The writers: whatever a program passes, they refuse it or write exactly one message, which our own parser reads back.
#include <micro/http/field.hpp>
#include <micro/http/status.hpp>
#include <micro/http1/parser.hpp>
#include <micro/http1/writer.hpp>

#include "fuzz.hpp"
#include "trailer.hpp"

namespace {

using micro::fuzz::Input;
using micro::fuzz::require;
using micro::fuzz::require_equal;
namespace http = micro::http;
namespace http1 = micro::http1;

struct Body {
  http1::BodySize size;
  std::string bytes;
  micro::Metadata trailers;
};

Body take_body(Input& input) {
  switch (input.below(4)) {
    case 0:
      return {http1::BodySize::none(), {}, {}};
    case 1: {
      const std::string bytes(input.text());
      return {http1::BodySize::exactly(bytes.size()), bytes, {}};
    }
    case 2: {
      Body body{http1::BodySize::chunked(), std::string(input.text()), {}};
      if (input.flag()) body.trailers.add(input.text(), input.text());
      return body;
    }
    default:
      return {http1::BodySize::until_close(), std::string(input.text()), {}};
  }
}

micro::Metadata take_headers(Input& input) {
  micro::Metadata headers;
  for (std::size_t i = input.below(6); i-- > 0;) {
    const std::string_view name = input.text();
    headers.add(name, input.text());
  }
  return headers;
}

bool is_framing(std::string_view name) {
  for (const std::string_view framing :
       {"Connection", "Keep-Alive", "Proxy-Connection", "Content-Length", "Transfer-Encoding", "Upgrade"}) {
    if (micro::equals_ignore_case(name, framing)) return true;
  }
  return false;
}

// What the reader must find of the caller's headers, in order.
micro::Metadata passed_on(const micro::Metadata& headers, bool request) {
  micro::Metadata kept;
  for (const auto [name, value] : headers) {
    if (is_framing(name) || (request && micro::equals_ignore_case(name, "Host"))) continue;
    kept.add(name, http::trim_blanks(value));
  }
  return kept;
}

// False when the writer refuses a trailer; then nothing may have been written.
bool write_body(micro::Buffer& out, const Body& body) {
  switch (body.size.kind()) {
    case http1::BodySize::Kind::kChunked: {
      http1::write_chunk(out, std::string_view(body.bytes).substr(0, body.bytes.size() / 2));
      http1::write_chunk(out, std::string_view(body.bytes).substr(body.bytes.size() / 2));
      const std::size_t before = out.size();
      if (http1::write_last_chunk(out, body.trailers)) return true;
      require(out.size() == before, "trailers that were refused left bytes behind");
      return false;
    }
    case http1::BodySize::Kind::kNone:
      return true;
    default:
      out.append(body.bytes);
      return true;
  }
}

template <class Parser>
void check(Parser& parser, const micro::Buffer& out, const micro::Metadata& headers, const Body& body, bool has_body) {
  std::string_view rest = out.view();
  auto event = parser.next(rest);
  require(event && *event == http1::Event::kHead, "a message that was written is refused");
  micro::Metadata kept;
  const bool request = std::is_same_v<Parser, http1::RequestParser>;
  kept = passed_on(parser.head().headers, request);
  // Fields of the writer's own, behind the caller's or before them.
  kept.remove("Expect"), kept.remove("Date");
  micro::Metadata wanted = headers;
  wanted.remove("Expect"), wanted.remove("Date");
  require(kept == wanted, "headers change on their way");
  std::string read;
  for (event = parser.next(rest); event && *event == http1::Event::kBody; event = parser.next(rest)) read += parser.body();
  require(event.has_value(), "a body that was written is refused");
  if (*event == http1::Event::kNeedMore) event = parser.finish();
  require(event && *event == http1::Event::kEnd && rest.empty(), "a message that was written is more or less than one");
  require_equal(read, has_body ? body.bytes : "", "a body changes on its way");
  if (has_body && body.size.kind() == http1::BodySize::Kind::kChunked) {
    require(parser.trailers() == passed_on(body.trailers, false), "trailers change on their way");
  }
}

void check_request(Input& input) {
  const std::string_view method = input.text();
  const std::string_view target = input.text();
  const std::string_view host = input.text();
  const micro::Metadata headers = take_headers(input);
  const Body body = take_body(input);
  micro::Buffer out;
  const http1::RequestStart start{.method = method,
                                  .target = target,
                                  .host = host,
                                  .body = body.size,
                                  .keep_alive = input.flag(),
                                  .expect_continue = input.flag()};
  if (!http1::write_request_head(out, start, headers)) return require(out.empty(), "a head that was refused left bytes behind");
  // The form of a target depends on the method, Expect on who answers: affairs of the caller.
  if (target.front() != '/' || method == "CONNECT" || start.expect_continue) return;
  for (const auto [name, value] : headers) {
    if (micro::equals_ignore_case(name, "Expect")) return;
  }
  if (!write_body(out, body)) return;
  http1::RequestParser parser;
  check(parser, out, passed_on(headers, true), body, true);
  require_equal(parser.head().method_name, method, "the method changes on its way");
  require_equal(parser.head().target, target, "the target changes on its way");
}

void check_response(Input& input) {
  const int status = input.u16() % 1200;
  const std::string_view date = input.text();
  const micro::Metadata headers = take_headers(input);
  const Body body = take_body(input);
  const bool keep_alive = input.flag();
  micro::Buffer out;
  const http1::ResponseStart start{.status = status, .body = body.size, .date = date, .keep_alive = keep_alive};
  if (!http1::write_response_head(out, start, headers)) return require(out.empty(), "a head that was refused left bytes behind");
  const bool no_body = http::is_interim(status) || !http::allows_body(status);
  // A response without a length lasts until the connection ends, and an interim one is not the last.
  if (http::is_interim(status)) return;
  if (!no_body && !write_body(out, body)) return;
  http1::ResponseParser parser;
  check(parser, out, passed_on(headers, false), body, !no_body && body.size.kind() != http1::BodySize::Kind::kNone);
  require(parser.head().status == status, "the status changes on its way");
}

}  // namespace

MICRO_FUZZ_TARGET(http1_writer) {
  Input in(input);
  if (in.flag()) {
    check_request(in);
  } else {
    check_response(in);
  }
}
