#include <micro/http1/parser.hpp>

#include <gtest/gtest.h>

#include "transcript.hpp"

namespace micro::http1 {
namespace {

using http::Method;

struct Case {
  std::string_view name;
  std::string_view bytes;
  std::string_view expected;
  Method method = Method::kGet;
  bool close = false;
  bool skip_interim = true;
};

std::string parse(const Case& c) {
  std::string expected;
  for (const std::size_t step : {c.bytes.size(), std::size_t{1}, std::size_t{3}, std::size_t{10}}) {
    ResponseParser parser({.max_body = 100, .max_interim = 2}, c.skip_interim);
    parser.expect(c.method);
    const std::string out = transcript(parser, c.bytes, step, c.close);
    if (expected.empty()) expected = out;
    EXPECT_EQ(out, expected) << "in steps of " << step;
  }
  return expected;
}

class Response : public testing::TestWithParam<Case> {};
TEST_P(Response, GivesItsEvents) { EXPECT_EQ(parse(GetParam()), GetParam().expected); }

const Case kCases[] = {
    {"Length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
     "HEAD 200 'OK' 1.1 Content-Length=2 +keep +length:2\nBODY ab\nEND\n"},
    {"Chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: 1\r\n\r\n",
     "HEAD 200 'OK' 1.1 Transfer-Encoding=chunked +keep +chunked\nBODY ab\nEND T=1\n"},
    {"ReasonOfSeveralWords", "HTTP/1.1 404 Not \xc3\xa9 Found\r\nContent-Length: 0\r\n\r\n",
     "HEAD 404 'Not \xc3\xa9 Found' 1.1 Content-Length=0 +keep +length:0\nEND\n"},
    {"EmptyReason", "HTTP/1.1 204 \r\n\r\n", "HEAD 204 '' 1.1 +keep\nEND\n"},
    {"NoReason", "HTTP/1.1 204\r\n\r\n", "HEAD 204 '' 1.1 +keep\nEND\n"},
    {"UnregisteredStatus", "HTTP/1.1 799 x\r\nContent-Length: 0\r\n\r\n",
     "HEAD 799 'x' 1.1 Content-Length=0 +keep +length:0\nEND\n"},
    {"UntilClose", "HTTP/1.1 200 OK\r\n\r\nab\r\n", "HEAD 200 'OK' 1.1 +close\nBODY ab\r\n\nEND\n", Method::kGet, true},
    {"UntilCloseStillOpen", "HTTP/1.1 200 OK\r\n\r\nab", "HEAD 200 'OK' 1.1 +close\nBODY ab"},
    {"UntilCloseEmpty", "HTTP/1.0 200 OK\r\n\r\n", "HEAD 200 'OK' 1.0 +close\nEND\n", Method::kGet, true},
    {"OldKeepAlive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
     "HEAD 200 'OK' 1.0 Connection=keep-alive Content-Length=1 +keep +length:1\nBODY x\nEND\n"},
    {"Head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 \r\n\r\n",
     "HEAD 200 'OK' 1.1 Content-Length=5 +keep +length:5\nEND\nHEAD 204 '' 1.1 +keep\nEND\n", Method::kHead},
    {"HeadOfALongBody", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
     "HEAD 200 'OK' 1.1 Content-Length=5000 +keep +length:5000\nEND\n", Method::kHead},
    {"HeadChunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "HEAD 200 'OK' 1.1 Transfer-Encoding=chunked +keep +chunked\nEND\n", Method::kHead},
    {"NotModified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
     "HEAD 304 'Not Modified' 1.1 Content-Length=5 +keep +length:5\nEND\n"},
    {"NoContentWithLength", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
     "HEAD 204 'No Content' 1.1 Content-Length=5 +keep +length:5\nEND\n"},
    {"ConnectTunnel", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD 200 'OK' 1.1 Content-Length=5 +keep +length:5\nEND\n",
     Method::kConnect},
    {"ConnectRefused", "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nab",
     "HEAD 403 'No' 1.1 Content-Length=2 +keep +length:2\nBODY ab\nEND\n", Method::kConnect},
    {"SwitchingProtocols", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
     "HEAD 101 'Switching Protocols' 1.1 Connection=upgrade Upgrade=websocket +keep +upgrade\nEND\n"},
    {"InterimSkipped",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
     "HEAD 200 'OK' 1.1 Content-Length=1 +keep +length:1\nBODY x\nEND\n"},
    {"InterimBeforeHead", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
     "HEAD 200 'OK' 1.1 Content-Length=1 +keep +length:1\nEND\n", Method::kHead},
    {"InterimTold", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
     "HEAD 100 'Continue' 1.1 +keep\nEND\nHEAD 200 'OK' 1.1 Content-Length=1 +keep +length:1\nEND\n", Method::kHead, false,
     false},
    {"TooManyInterim", "HTTP/1.1 100 \r\n\r\nHTTP/1.1 100 \r\n\r\nHTTP/1.1 100 \r\n\r\n", "ERROR 429 HTTP_INTERIM\n"},
    {"TwoInARow", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\ny",
     "HEAD 200 'OK' 1.1 Content-Length=1 +keep +length:1\nBODY x\nEND\nHEAD 201 'Created' 1.1 Content-Length=1 +keep "
     "+length:1\nBODY y\nEND\n"},
    {"CutInTheHead", "HTTP/1.1 200 OK\r\nConte", "ERROR 503 HTTP_TRUNCATED\n", Method::kGet, true},
    {"CutInTheBody", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
     "HEAD 200 'OK' 1.1 Content-Length=5 +keep +length:5\nBODY ab\nERROR 503 HTTP_TRUNCATED\n", Method::kGet, true},
    {"CutBeforeLastChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
     "HEAD 200 'OK' 1.1 Transfer-Encoding=chunked +keep +chunked\nBODY ab\nERROR 503 HTTP_TRUNCATED\n", Method::kGet, true},
    {"EmptyLineBefore", "\r\nHTTP/1.1 200 OK\r\n\r\n", "ERROR 500 HTTP_STATUS_LINE\n"},
    {"TwoDigitStatus", "HTTP/1.1 20 OK\r\n\r\n", "ERROR 500 HTTP_STATUS_LINE\n"},
    {"FourDigitStatus", "HTTP/1.1 2000 OK\r\n\r\n", "ERROR 500 HTTP_STATUS_LINE\n"},
    {"StatusBelow100", "HTTP/1.1 099 OK\r\n\r\n", "ERROR 500 HTTP_STATUS_LINE\n"},
    {"NoStatus", "HTTP/1.1\r\n\r\n", "ERROR 500 HTTP_STATUS_LINE\n"},
    {"ControlByteInReason", "HTTP/1.1 200 O\x01K\r\n\r\n", "ERROR 500 HTTP_CONTROL_BYTE\n"},
    {"OtherVersion", "HTTP/2.0 200 OK\r\n\r\n", "ERROR 500 HTTP_VERSION\n"},
    {"NotHttp", "SSH-2.0-OpenSSH_9\r\n", "ERROR 500 HTTP_STATUS_LINE\n"},
    {"BareLf", "HTTP/1.1 200 OK\n\n", "ERROR 500 HTTP_LINE_END\n"},
    {"LengthAndChunked", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     "ERROR 500 HTTP_TRANSFER_ENCODING\n"},
    {"UnknownCoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "ERROR 500 HTTP_TRANSFER_ENCODING\n"},
    {"BodyTooLarge", "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "ERROR 429 HTTP_BODY_SIZE\n"},
};
INSTANTIATE_TEST_SUITE_P(Http1, Response, testing::ValuesIn(kCases),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(ResponseParser, BoundsABodyThatLastsUntilClose) {
  const std::string fits = "HTTP/1.1 200 OK\r\n\r\n" + std::string(100, 'x');
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, fits.size() + 1}) {
    ResponseParser parser({.max_body = 100});
    EXPECT_TRUE(transcript(parser, fits, step, true).ends_with("xx\nEND\n"));
    parser.reset();
    EXPECT_TRUE(transcript(parser, fits + "x", step).ends_with(std::string(100, 'x') + "\nERROR 429 HTTP_BODY_SIZE\n"));
  }
}

TEST(ResponseParser, RestAfterASwitchBelongsToTheOtherProtocol) {
  ResponseParser parser;
  std::string_view input = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n\x01\x02";
  EXPECT_EQ(parser.next(input), Event::kHead);
  EXPECT_EQ(parser.next(input), Event::kEnd);
  EXPECT_EQ(input, "\x01\x02");
}

TEST(ResponseParser, ExpectationHoldsForOneResponse) {
  ResponseParser parser;
  parser.expect(Method::kHead);
  constexpr std::string_view kBytes = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
  EXPECT_TRUE(transcript(parser, kBytes, 100).ends_with("END\n"));
  EXPECT_TRUE(transcript(parser, std::string(kBytes) + "x", 100).ends_with("BODY x\nEND\n"));
  parser.expect(Method::kHead);
  EXPECT_TRUE(transcript(parser, kBytes, 100).ends_with("END\n"));
  parser.reset(Method::kHead);
  EXPECT_TRUE(transcript(parser, kBytes, 100).ends_with("END\n"));
}

TEST(ResponseParser, ErrorsAreNotTheCallersFault) {
  ResponseParser parser;
  std::string_view input = "nonsense\r\n";
  const auto event = parser.next(input);
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code(), Code::kInternal);
  EXPECT_EQ(event.error().message(), "cannot read the HTTP response: the status line is not 'HTTP/1.1 200 reason'");
}

}  // namespace
}  // namespace micro::http1
