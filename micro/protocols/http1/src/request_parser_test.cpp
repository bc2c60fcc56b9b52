#include <micro/http1/parser.hpp>

#include <gtest/gtest.h>

#include "transcript.hpp"

namespace micro::http1 {
namespace {

// Results must not depend on how the bytes were cut.
std::string parse(std::string_view bytes, const Limits& limits = {}) {
  RequestParser whole(limits);
  const std::string expected = transcript(whole, bytes, bytes.size());
  for (const std::size_t step : {1, 2, 3, 7, 64}) {
    RequestParser parser(limits);
    EXPECT_EQ(transcript(parser, bytes, step), expected) << "in steps of " << step << " bytes: " << bytes;
  }
  return expected;
}

struct Case {
  std::string_view name;
  std::string_view bytes;
  std::string_view expected;
};

// The tables hold NUL bytes, so views take the size of the literal.
template <std::size_t N>
consteval std::string_view raw(const char (&text)[N]) {
  return {text, N - 1};
}

class ValidRequest : public testing::TestWithParam<Case> {};
TEST_P(ValidRequest, GivesItsEvents) { EXPECT_EQ(parse(GetParam().bytes), GetParam().expected); }

const Case kValid[] = {
    {"Get", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD GET / 1.1 Host=a +keep\nEND\n"},
    {"HeaderOrderAndCaseAreKept", "GET / HTTP/1.1\r\nhOST: a\r\nB: 1\r\nb: 2\r\nA:\r\n\r\n",
     "HEAD GET / 1.1 hOST=a B=1 b=2 A= +keep\nEND\n"},
    {"BlanksAroundValues", "GET / HTTP/1.1\r\nHost:\t a \t\r\nX:  b  c  \r\n\r\n", "HEAD GET / 1.1 Host=a X=b  c +keep\nEND\n"},
    {"BytesPastAsciiInValues", "GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\xff\r\n\r\n",
     "HEAD GET / 1.1 Host=a X=\xc3\xa9\xff +keep\nEND\n"},
    {"OneEmptyLineBefore", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD GET / 1.1 Host=a +keep\nEND\n"},
    {"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "HEAD GET / 1.1 Host= +keep\nEND\n"},
    {"Ipv6Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "HEAD GET / 1.1 Host=[::1]:80 +keep\nEND\n"},
    {"ExtensionMethod", "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD PROPFIND / 1.1 Host=a +keep\nEND\n"},
    {"LaterMinorVersion", "GET / HTTP/1.9\r\nHost: a\r\n\r\n", "HEAD GET / 1.1 Host=a +keep\nEND\n"},
    {"Close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", "HEAD GET / 1.1 Host=a Connection=Close +close\nEND\n"},
    {"CloseInList", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, ,close , y\r\n\r\n",
     "HEAD GET / 1.1 Host=a Connection=x, ,close , y +close\nEND\n"},
    {"CloseBeatsKeepAlive", "GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n",
     "HEAD GET / 1.0 Connection=close Connection=keep-alive +close\nEND\n"},
    {"OldVersionCloses", "GET / HTTP/1.0\r\n\r\n", "HEAD GET / 1.0 +close\nEND\n"},
    {"OldVersionKeepsAlive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
     "HEAD GET / 1.0 Connection=Keep-Alive +keep\nEND\n"},
    {"Length", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
     "HEAD POST /x 1.1 Host=a Content-Length=5 +keep +length:5\nBODY hello\nEND\n"},
    {"LengthZero", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
     "HEAD POST /x 1.1 Host=a Content-Length=0 +keep +length:0\nEND\n"},
    {"BodyMayHoldAnything", raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\0\n"),
     raw("HEAD POST / 1.1 Host=a Content-Length=4 +keep +length:4\nBODY \r\n\0\n\nEND\n")},
    {"Chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n, 10 bytes\r\n0\r\n\r\n",
     "HEAD POST / 1.1 Host=a Transfer-Encoding=chunked +keep +chunked\nBODY hello, 10 bytes\nEND\n"},
    {"ChunkedCodingIgnoresCase", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , CHUNKED\r\n\r\n0\r\n\r\n",
     "HEAD POST / 1.1 Host=a Transfer-Encoding=, CHUNKED +keep +chunked\nEND\n"},
    {"ChunkSizeWithZerosAndExtensions",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000000003;a;b=c ; d = "
     "\"e\\\"f;\"\r\nabc\r\n000\r\n\r\n",
     "HEAD POST / 1.1 Host=a Transfer-Encoding=chunked +keep +chunked\nBODY abc\nEND\n"},
    {"Trailers", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nChecksum: 12\r\nB: 2\r\n\r\n",
     "HEAD POST / 1.1 Host=a Transfer-Encoding=chunked +keep +chunked\nBODY x\nEND Checksum=12 B=2\n"},
    {"Expect", "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
     "HEAD PUT / 1.1 Host=a Expect=100-Continue Content-Length=1 +keep +length:1 +expect\nBODY x\nEND\n"},
    {"ExpectWithoutBody", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
     "HEAD GET / 1.1 Host=a Expect=100-continue +keep\nEND\n"},
    {"ExpectOfOldVersion", "PUT / HTTP/1.0\r\nExpect: whatever\r\nContent-Length: 1\r\n\r\nx",
     "HEAD PUT / 1.0 Expect=whatever Content-Length=1 +close +length:1\nBODY x\nEND\n"},
    {"Pipelined",
     "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\nxy\r\n"
     "POST /3 HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\nT: 1\r\n\r\nGET /4 HTTP/1.1\r\nHost: "
     "d\r\n\r\n",
     "HEAD GET /1 1.1 Host=a +keep\nEND\nHEAD POST /2 1.1 Host=b Content-Length=2 +keep +length:2\nBODY xy\nEND\n"
     "HEAD POST /3 1.1 Host=c Transfer-Encoding=chunked +keep +chunked\nBODY z\nEND T=1\nHEAD GET /4 1.1 Host=d +keep\nEND\n"},
    {"WebSocket", "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
     "HEAD GET /ws 1.1 Host=a Upgrade=WebSocket Connection=keep-alive, Upgrade +keep +upgrade +websocket\nEND\n"},
    {"WebSocketNeedsGet", "PUT /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
     "HEAD PUT /ws 1.1 Host=a Upgrade=websocket Connection=Upgrade +keep +upgrade\nEND\n"},
    {"UpgradeNeedsConnection", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
     "HEAD GET / 1.1 Host=a Upgrade=websocket +keep\nEND\n"},
    {"UpgradeNeeds11", "GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
     "HEAD GET / 1.0 Upgrade=websocket Connection=Upgrade +close\nEND\n"},
    {"H2c",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
     "HEAD GET / 1.1 Host=a Connection=Upgrade, HTTP2-Settings Upgrade=h2c HTTP2-Settings=AAMAAABk +keep +upgrade +h2c\nEND\n"},
    {"H2cNeedsSettings", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
     "HEAD GET / 1.1 Host=a Connection=Upgrade, HTTP2-Settings Upgrade=h2c +keep +upgrade\nEND\n"},
    {"H2cNeedsOneSettings",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\nHTTP2-Settings: "
     "A\r\n\r\n",
     "HEAD GET / 1.1 Host=a Connection=Upgrade, HTTP2-Settings Upgrade=h2c HTTP2-Settings=A HTTP2-Settings=A +keep "
     "+upgrade\nEND\n"},
};
INSTANTIATE_TEST_SUITE_P(Http1, ValidRequest, testing::ValuesIn(kValid),
                         [](const auto& param) { return std::string(param.param.name); });

class RefusedRequest : public testing::TestWithParam<Case> {};
TEST_P(RefusedRequest, SaysWhatToAnswer) {
  EXPECT_EQ(parse(GetParam().bytes), "ERROR " + std::string(GetParam().expected) + "\n");
}

const Case kRefused[] = {
    {"TwoEmptyLinesBefore", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_REQUEST_LINE"},
    {"NoVersion", "GET /\r\nHost: a\r\n\r\n", "400 HTTP_REQUEST_LINE"},
    {"OnlyMethod", "GET\r\n\r\n", "400 HTTP_REQUEST_LINE"},
    {"TwoBlanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_REQUEST_LINE"},
    {"BlankBeforeMethod", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_METHOD"},
    {"BadMethod", "G\"T / HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_METHOD"},
    {"TabAfterMethod", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_METHOD"},
    {"NulInMethod", raw("G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"), "400 HTTP_METHOD"},
    {"BlankInTarget", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_VERSION"},
    {"TabInTarget", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"NulInTarget", raw("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"), "400 HTTP_TARGET"},
    {"CrInTarget", "GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"FragmentInTarget", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"BytePastAsciiInTarget", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"RelativeTarget", "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"AsteriskWithGet", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"AuthorityWithGet", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"PathWithConnect", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"ConnectWithoutPort", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"ConnectIpv6WithoutPort", "CONNECT [::1] HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"ConnectEmptyPort", "CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"AbsoluteWithoutHost", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"AbsoluteWithUser", "GET http://u@a/x HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"AbsoluteWithBadScheme", "GET 1http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_TARGET"},
    {"LowerCaseVersion", "GET / http/1.1\r\nHost: a\r\n\r\n", "400 HTTP_VERSION"},
    {"LongVersion", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400 HTTP_VERSION"},
    {"BlankAfterVersion", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400 HTTP_VERSION"},
    {"CrAfterVersion", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "400 HTTP_VERSION"},
    {"OtherProtocol", "GET / RTSP/1.1\r\nHost: a\r\n\r\n", "400 HTTP_VERSION"},
    {"Version20", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP_VERSION"},
    {"Version09", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "505 HTTP_VERSION"},
    {"LfAfterRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400 HTTP_LINE_END"},
    {"LfAfterHeader", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "400 HTTP_LINE_END"},
    {"LfInsteadOfEmptyLine", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400 HTTP_LINE_END"},
    {"LfAfterName", "GET / HTTP/1.1\r\nHost\n\r\n", "400 HTTP_LINE_END"},
    {"CrInValue", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", "400 HTTP_LINE_END"},
    {"TwoCrs", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\r\n\r\n", "400 HTTP_LINE_END"},
    {"Folded", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", "400 HTTP_FOLDED_HEADER"},
    {"FoldedByTab", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", "400 HTTP_FOLDED_HEADER"},
    {"FoldedRightAway", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 HTTP_FOLDED_HEADER"},
    {"BlankBeforeColon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400 HTTP_HEADER_NAME"},
    {"TabBeforeColon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 5\r\n\r\n", "400 HTTP_HEADER_NAME"},
    {"EmptyName", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "400 HTTP_HEADER_NAME"},
    {"NoColon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", "400 HTTP_HEADER_NAME"},
    {"NulInName", raw("GET / HTTP/1.1\r\nHost: a\r\nX\0Y: b\r\n\r\n"), "400 HTTP_HEADER_NAME"},
    {"BytePastAsciiInName", "GET / HTTP/1.1\r\nHost: a\r\nX\xc3\xa9: b\r\n\r\n", "400 HTTP_HEADER_NAME"},
    {"ParenthesisInName", "GET / HTTP/1.1\r\nHost: a\r\nX(Y): b\r\n\r\n", "400 HTTP_HEADER_NAME"},
    {"NulInValue", raw("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"), "400 HTTP_CONTROL_BYTE"},
    {"EscapeInLongValue", "GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789\x1b[31m\r\n\r\n", "400 HTTP_CONTROL_BYTE"},
    {"DeleteInValue",
     "GET / HTTP/1.1\r\nHost: a\r\nX: 01234567\x7f"
     "89abcdef\r\n\r\n",
     "400 HTTP_CONTROL_BYTE"},
    {"NoHost", "GET / HTTP/1.1\r\n\r\n", "400 HTTP_HOST"},
    {"NoHostWithAbsolute", "GET http://a/ HTTP/1.1\r\n\r\n", "400 HTTP_HOST"},
    {"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400 HTTP_HOST"},
    {"TwoHostsOld", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "400 HTTP_HOST"},
    {"BadHost", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 HTTP_HOST"},
    {"UserInHost", "GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", "400 HTTP_HOST"},
    {"BadPortInHost", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "400 HTTP_HOST"},
    {"TwoLengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400 HTTP_CONTENT_LENGTH"},
    {"SameLengthTwice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\nx",
     "400 HTTP_CONTENT_LENGTH"},
    {"LengthPlus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", "400 HTTP_CONTENT_LENGTH"},
    {"LengthMinus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx", "400 HTTP_CONTENT_LENGTH"},
    {"LengthInnerBlank", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\nx", "400 HTTP_CONTENT_LENGTH"},
    {"LengthList", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx", "400 HTTP_CONTENT_LENGTH"},
    {"LengthHex", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx", "400 HTTP_CONTENT_LENGTH"},
    {"LengthEmpty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nx", "400 HTTP_CONTENT_LENGTH"},
    {"LengthOverflow", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\nx", "400 HTTP_CONTENT_LENGTH"},
    {"LengthOverLimit", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\nx", "413 HTTP_BODY_SIZE"},
    {"LengthThenCoding", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400 HTTP_TRANSFER_ENCODING"},
    {"CodingThenLength", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
     "400 HTTP_TRANSFER_ENCODING"},
    {"UnknownCoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501 HTTP_TRANSFER_ENCODING"},
    {"CodingBeforeChunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
     "501 HTTP_TRANSFER_ENCODING"},
    {"CodingAfterChunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
     "501 HTTP_TRANSFER_ENCODING"},
    {"ChunkedWithParameter", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
     "501 HTTP_TRANSFER_ENCODING"},
    {"VerticalTabBeforeCoding",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b"
     "chunked\r\n\r\n0\r\n\r\n",
     "400 HTTP_CONTROL_BYTE"},
    {"ChunkedTwice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
     "400 HTTP_TRANSFER_ENCODING"},
    {"ChunkedTwiceInTwoLines",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400 HTTP_TRANSFER_ENCODING"},
    {"EmptyCoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", "400 HTTP_TRANSFER_ENCODING"},
    {"CodingOnOldVersion", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400 HTTP_TRANSFER_ENCODING"},
    {"UnknownExpectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx", "417 HTTP_EXPECTATION"},
};
INSTANTIATE_TEST_SUITE_P(Http1, RefusedRequest, testing::ValuesIn(kRefused),
                         [](const auto& param) { return std::string(param.param.name); });

// The body of a chunked request and what becomes of it.
class ChunkedBody : public testing::TestWithParam<Case> {};
TEST_P(ChunkedBody, IsReadStrictly) {
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(parse(std::string(kHead).append(GetParam().bytes)),
            "HEAD POST / 1.1 Host=a Transfer-Encoding=chunked +keep +chunked\n" + std::string(GetParam().expected) + "\n");
}

const Case kChunked[] = {
    {"NoDigits", "\r\n", "ERROR 400 HTTP_CHUNK"},
    {"NotHex", "g\r\n", "ERROR 400 HTTP_CHUNK"},
    {"Prefixed", "0x1\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"Signed", "-1\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"BlankBefore", " 1\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"BlankAfter", "1 \r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"Overflow", "10000000000000000\r\n", "ERROR 400 HTTP_CHUNK"},
    {"OverflowToSmall", "10000000000000001\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"TooLarge", "ffffffffffffffff\r\n", "ERROR 413 HTTP_BODY_SIZE"},
    {"ExtensionWithoutName", "1;\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"ExtensionWithoutValue", "1;a=\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"ExtensionOpenQuote", "1;a=\"b\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"ExtensionEscapedQuote", "1;a=\"b\\\"\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"ExtensionWithoutSemicolon", "1 a\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"ExtensionTrailingBlank", "1;a \r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"ExtensionWithCr", "1;a\rb\r\nx\r\n", "ERROR 400 HTTP_CHUNK"},
    {"ExtensionWithNul", raw("1;a\0b\r\nx\r\n"), "ERROR 400 HTTP_CHUNK"},
    {"LfAfterSize", "1\nx\r\n", "ERROR 400 HTTP_LINE_END"},
    {"LfInExtension", "1;a\nx\r\n", "ERROR 400 HTTP_LINE_END"},
    {"DataTooLong", "1\r\nxy\r\n", "BODY x\nERROR 400 HTTP_CHUNK"},
    {"LfAfterData", "1\r\nx\n0\r\n\r\n", "BODY x\nERROR 400 HTTP_CHUNK"},
    {"CrWithoutLfAfterData", "1\r\nx\r0\r\n\r\n", "BODY x\nERROR 400 HTTP_CHUNK"},
    {"FramingInTrailers", "0\r\nContent-Length: 1\r\n\r\n", "ERROR 400 HTTP_TRAILER"},
    {"HostInTrailers", "0\r\nHost: b\r\n\r\n", "ERROR 400 HTTP_TRAILER"},
    {"FoldedTrailer", "0\r\nA: b\r\n c\r\n\r\n", "ERROR 400 HTTP_FOLDED_HEADER"},
    {"LfAfterTrailer", "0\r\nA: b\n\r\n", "ERROR 400 HTTP_LINE_END"},
    {"LfAtTheEnd", "0\r\n\n", "ERROR 400 HTTP_LINE_END"},
};
INSTANTIATE_TEST_SUITE_P(Http1, ChunkedBody, testing::ValuesIn(kChunked),
                         [](const auto& param) { return std::string(param.param.name); });

struct TargetCase {
  std::string_view line;
  TargetForm form;
  std::string_view path;
  std::string_view query;
  std::string_view authority;
};

TEST(RequestTarget, IsTakenApart) {
  const TargetCase cases[] = {
      {"GET /", TargetForm::kOrigin, "/", "", "h"},
      {"GET /a%2Fb?x=1?y", TargetForm::kOrigin, "/a%2Fb", "x=1?y", "h"},
      {"GET //a/b", TargetForm::kOrigin, "//a/b", "", "h"},
      {"GET /?", TargetForm::kOrigin, "/", "", "h"},
      {"GET /{a}|[b]\"<>\\^`", TargetForm::kOrigin, "/{a}|[b]\"<>\\^`", "", "h"},
      {"GET http://a.example:8080/x?y", TargetForm::kAbsolute, "/x", "y", "a.example:8080"},
      {"GET http://a.example", TargetForm::kAbsolute, "/", "", "a.example"},
      {"GET http://a.example?q", TargetForm::kAbsolute, "/", "q", "a.example"},
      {"GET micro+x://[::1]:1/x", TargetForm::kAbsolute, "/x", "", "[::1]:1"},
      {"OPTIONS *", TargetForm::kAsterisk, "*", "", "h"},
      {"OPTIONS http://a.example", TargetForm::kAbsolute, "*", "", "a.example"},
      {"OPTIONS http://a.example?q", TargetForm::kAbsolute, "/", "q", "a.example"},
      {"CONNECT a.example:443", TargetForm::kAuthority, "", "", "a.example:443"},
      {"CONNECT [::1]:443", TargetForm::kAuthority, "", "", "[::1]:443"},
  };
  RequestParser parser;
  for (const auto& [line, form, path, query, authority] : cases) {
    const std::string bytes = std::string(line) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    std::string_view input = bytes;
    const auto event = parser.next(input);
    ASSERT_TRUE(event.has_value()) << line << ": " << event.error().to_string();
    EXPECT_EQ(*event, Event::kHead) << line;
    EXPECT_EQ(parser.head().form, form) << line;
    EXPECT_EQ(parser.head().path(), path) << line;
    EXPECT_EQ(parser.head().query(), query) << line;
    EXPECT_EQ(parser.head().authority(), authority) << line;
    parser.reset();
  }
}

}  // namespace
}  // namespace micro::http1
