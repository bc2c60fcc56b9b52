// Limits, memory, state and the end of the connection; the tables of the two parsers are in their own tests.

#include <micro/http1/parser.hpp>

#include <gtest/gtest.h>

#include "transcript.hpp"

namespace micro::http1 {
namespace {

std::string parse(std::string_view bytes, const Limits& limits) {
  RequestParser whole(limits);
  const std::string expected = transcript(whole, bytes, bytes.size());
  for (const std::size_t step : {1, 2, 5}) {
    RequestParser parser(limits);
    EXPECT_EQ(transcript(parser, bytes, step), expected) << "in steps of " << step;
  }
  return expected;
}

std::string request(std::string_view headers, std::string_view body = {}) {
  return std::string("GET / HTTP/1.1\r\nHost: a\r\n").append(headers).append("\r\n").append(body);
}

TEST(Limits, StartLine) {
  const Limits limits{.max_start_line = 32};
  const std::string fits = "GET /" + std::string(16, 'x') + " HTTP/1.1\r\n";
  ASSERT_EQ(fits.size(), 32U);
  EXPECT_TRUE(parse(fits + "Host: a\r\n\r\n", limits).ends_with("END\n"));
  const std::string above = "GET /" + std::string(17, 'x') + " HTTP/1.1\r\n";
  EXPECT_EQ(parse(above + "Host: a\r\n\r\n", limits), "ERROR 414 HTTP_START_LINE_SIZE\n");
  EXPECT_EQ(parse(std::string(33, 'x'), limits), "ERROR 414 HTTP_START_LINE_SIZE\n") << "without waiting for the end of the line";
}

TEST(Limits, HeaderBytes) {
  const Limits limits{.max_header_bytes = 40};
  // "Host: a" 9, "X: ...": 5 + n, the empty line 2
  EXPECT_TRUE(parse(request("X: " + std::string(24, 'x') + "\r\n"), limits).ends_with("END\n"));
  EXPECT_EQ(parse(request("X: " + std::string(25, 'x') + "\r\n"), limits), "ERROR 431 HTTP_HEADER_BYTES\n");
  EXPECT_EQ(parse(request(std::string(32, 'x')), limits), "ERROR 431 HTTP_HEADER_BYTES\n")
      << "without waiting for the end of the line";
}

TEST(Limits, HeaderCount) {
  const Limits limits{.max_header_count = 3};
  EXPECT_TRUE(parse(request("A: 1\r\nB: 2\r\n"), limits).ends_with("END\n"));
  EXPECT_EQ(parse(request("A: 1\r\nB: 2\r\nC: 3\r\n"), limits), "ERROR 431 HTTP_HEADER_COUNT\n");
}

TEST(Limits, TrailersCountAnew) {
  const Limits limits{.max_header_bytes = 60, .max_header_count = 2};
  const std::string chunked = request("Transfer-Encoding: chunked\r\n", "0\r\nA: 1\r\nB: 2\r\n");
  EXPECT_TRUE(parse(chunked + "\r\n", limits).ends_with("END A=1 B=2\n"));
  EXPECT_TRUE(parse(chunked + "C: 3\r\n\r\n", limits).ends_with("\nERROR 431 HTTP_HEADER_COUNT\n"));
  EXPECT_TRUE(parse(request("Transfer-Encoding: chunked\r\n", "0\r\nA: " + std::string(60, 'x') + "\r\n\r\n"), limits)
                  .ends_with("\nERROR 431 HTTP_HEADER_BYTES\n"));
}

TEST(Limits, Body) {
  const Limits limits{.max_body = 4};
  EXPECT_TRUE(parse(request("Content-Length: 4\r\n", "abcd"), limits).ends_with("BODY abcd\nEND\n"));
  EXPECT_EQ(parse(request("Content-Length: 5\r\n", "abcde"), limits), "ERROR 413 HTTP_BODY_SIZE\n") << "before the head is told";
  EXPECT_TRUE(
      parse(request("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"), limits).ends_with("BODY abcd\nEND\n"));
  EXPECT_TRUE(parse(request("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"), limits)
                  .ends_with("BODY ab\nERROR 413 HTTP_BODY_SIZE\n"));
}

TEST(Limits, ChunkLine) {
  const Limits limits{.max_chunk_line = 16};
  EXPECT_TRUE(
      parse(request("Transfer-Encoding: chunked\r\n", "1;0123456789ab\r\nx\r\n0\r\n\r\n"), limits).ends_with("BODY x\nEND\n"));
  EXPECT_TRUE(parse(request("Transfer-Encoding: chunked\r\n", "1;0123456789abc\r\nx\r\n0\r\n\r\n"), limits)
                  .ends_with("ERROR 400 HTTP_CHUNK\n"));
  EXPECT_TRUE(parse(request("Transfer-Encoding: chunked\r\n", std::string(17, '0')), limits).ends_with("ERROR 400 HTTP_CHUNK\n"));
}

TEST(Limits, ChunkOverhead) {
  const Limits limits{.max_chunk_overhead = 1000};
  const auto chunks = [](std::size_t count, std::string_view chunk) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out.append(chunk);
    return request("Transfer-Encoding: chunked\r\n", out + "0\r\n\r\n");
  };
  EXPECT_TRUE(parse(chunks(500, "1\r\nx\r\n"), limits).ends_with("END\n")) << "small chunks alone are fine";
  EXPECT_TRUE(parse(chunks(500, "1;" + std::string(100, 'x') + "\r\nx\r\n"), limits).ends_with("ERROR 400 HTTP_CHUNK\n"));
}

TEST(Limits, NameTheLimitInTheMessage) {
  RequestParser parser({.max_body = 4});
  const std::string bytes = request("Content-Length: 5\r\n");
  std::string_view input = bytes;
  const auto event = parser.next(input);
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(event.error().message(), "cannot read the HTTP request: the body is too large (the limit is 4)");
}

TEST(Parser, BodyIsAViewIntoTheInput) {
  RequestParser parser;
  const std::string bytes = request("Content-Length: 4\r\n", "abcdGET");
  std::string_view input = bytes;
  EXPECT_EQ(parser.next(input), Event::kHead);
  EXPECT_EQ(parser.next(input), Event::kBody);
  EXPECT_EQ(parser.body().data(), bytes.data() + bytes.size() - 7);
  EXPECT_EQ(parser.body(), "abcd");
  EXPECT_EQ(input, "GET");
  EXPECT_EQ(parser.next(input), Event::kEnd);
  EXPECT_EQ(input, "GET") << "the end must not touch the next message";
}

TEST(Parser, EndOfABodilessMessageNeedsNoMoreInput) {
  RequestParser parser;
  const std::string bytes = request("");
  std::string_view input = bytes;
  EXPECT_EQ(parser.next(input), Event::kHead);
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(parser.next(input), Event::kEnd);
  EXPECT_EQ(parser.next(input), Event::kNeedMore);
  EXPECT_EQ(parser.head().target, "/") << "the head stays until the next message begins";
}

TEST(Parser, HeadersMayBeSwappedOut) {
  RequestParser parser;
  const std::string bytes = request("Content-Length: 2\r\n", "ab");
  std::string_view input = bytes;
  EXPECT_EQ(parser.next(input), Event::kHead);
  Metadata taken;
  std::swap(taken, parser.head().headers);
  EXPECT_EQ(parser.next(input), Event::kBody);
  EXPECT_EQ(parser.next(input), Event::kEnd);
  EXPECT_EQ(taken.get("content-length"), "2");
}

TEST(Parser, IsIdleOnlyBetweenMessages) {
  RequestParser parser;
  EXPECT_TRUE(parser.idle());
  const std::string bytes = request("Content-Length: 1\r\n", "x");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string_view input = std::string_view(bytes).substr(i, 1);
    while (parser.next(input) != Event::kNeedMore) {
    }
    EXPECT_EQ(parser.idle(), i + 1 == bytes.size()) << i;
  }
}

TEST(Parser, RepeatsAnErrorUntilReset) {
  RequestParser parser;
  EXPECT_EQ(transcript(parser, "nonsense\r\n", 100), "ERROR 400 HTTP_REQUEST_LINE\n");
  EXPECT_EQ(transcript(parser, request(""), 100), "ERROR 400 HTTP_REQUEST_LINE\n");
  EXPECT_FALSE(parser.finish().has_value());
  parser.reset();
  EXPECT_EQ(transcript(parser, request(""), 100), "HEAD GET / 1.1 Host=a +keep\nEND\n");
}

TEST(Parser, ResetForgetsAHalfMessage) {
  for (const std::string_view half :
       {"\r\n", "GE", "GET / HTTP/1.1\r\nHost: a\r\nX: b", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"}) {
    RequestParser parser;
    (void)transcript(parser, half, 1);
    parser.reset();
    EXPECT_TRUE(parser.idle());
    EXPECT_EQ(transcript(parser, request(""), 100), "HEAD GET / 1.1 Host=a +keep\nEND\n") << half;
  }
}

// Cut off after every single byte, a request is either idle, complete, or an error; and never told as complete too early.
TEST(Parser, CloseInTheMiddleOfARequestIsAnError) {
  const std::string bytes = request("Transfer-Encoding: chunked\r\n", "2;a\r\nab\r\n0\r\nT: 1\r\n\r\n");
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    RequestParser parser;
    const std::string out = transcript(parser, std::string_view(bytes).substr(0, size), 100, true);
    EXPECT_TRUE(out.ends_with("ERROR 400 HTTP_TRUNCATED\n")) << size << out;
  }
  RequestParser parser;
  EXPECT_TRUE(transcript(parser, bytes, 100, true).ends_with("END T=1\n"));
}

TEST(Parser, CloseBetweenRequestsIsNone) {
  RequestParser parser;
  EXPECT_EQ(parser.finish(), Event::kNeedMore);
}

}  // namespace
}  // namespace micro::http1
