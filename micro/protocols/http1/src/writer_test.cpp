#include <micro/http1/writer.hpp>

#include <gtest/gtest.h>

#include "transcript.hpp"

namespace micro::http1 {
namespace {

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string response(const ResponseStart& start, const Metadata& headers = {}) {
  Buffer buffer;
  const auto written = write_response_head(buffer, start, headers);
  Chain chain;
  EXPECT_EQ(write_response_head(chain, start, headers).has_value(), written.has_value());
  EXPECT_EQ(chain.flatten(), buffer.view());
  return written ? std::string(buffer.view()) : "refused: " + written.error().message();
}

std::string request(const RequestStart& start, const Metadata& headers = {}) {
  Buffer buffer;
  const auto written = write_request_head(buffer, start, headers);
  Chain chain;
  EXPECT_EQ(write_request_head(chain, start, headers).has_value(), written.has_value());
  EXPECT_EQ(chain.flatten(), buffer.view());
  return written ? std::string(buffer.view()) : "refused: " + written.error().message();
}

TEST(ResponseHead, IsWritten) {
  EXPECT_EQ(response({.body = BodySize::exactly(5), .date = kDate}, {{"Content-Type", "text/plain"}}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(response({.status = 404, .body = BodySize::chunked(), .keep_alive = false}),
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response({.status = 799}), "HTTP/1.1 799 \r\n\r\n");
  EXPECT_EQ(response({.body = BodySize::until_close()}), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response({.body = BodySize::exactly(UINT64_MAX)}), "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n");
  EXPECT_EQ(response({.status = 101, .upgrade = "websocket"}, {{"Sec-WebSocket-Accept", "x"}}),
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
}

TEST(ResponseHead, KeepsTheRulesOfOldClients) {
  EXPECT_EQ(response({.body = BodySize::exactly(0), .minor_version = 0}),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response({.body = BodySize::exactly(0), .keep_alive = false, .minor_version = 0}),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(response({.body = BodySize::chunked(), .minor_version = 0}).starts_with("refused"));
}

TEST(ResponseHead, HasNoBodySizeWhereNoBodyMayBe) {
  EXPECT_EQ(response({.status = 204, .body = BodySize::exactly(0)}), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(response({.status = 103, .body = BodySize::chunked(), .keep_alive = false}), "HTTP/1.1 103 Early Hints\r\n\r\n");
  EXPECT_EQ(response({.status = 304, .body = BodySize::exactly(7)}), "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
}

TEST(ResponseHead, LeavesTheFramingToTheWriter) {
  EXPECT_EQ(response({.body = BodySize::exactly(1), .date = kDate}, {{"content-length", "99"},
                                                                     {"Transfer-Encoding", "chunked"},
                                                                     {"connection", "close"},
                                                                     {"Keep-Alive", "timeout=5"},
                                                                     {"Proxy-Connection", "close"},
                                                                     {"Upgrade", "h2c"},
                                                                     {"date", "mine"},
                                                                     {"X", ""}}),
            "HTTP/1.1 200 OK\r\ndate: mine\r\nX: \r\nContent-Length: 1\r\n\r\n");
}

TEST(ResponseHead, RefusesInjection) {
  using namespace std::string_view_literals;
  const Metadata bad[] = {
      {{"X", "a\r\nSet-Cookie: b"}},
      {{"X", "a\nb"}},
      {{"X", "a\rb"}},
      {{"X", "a\0b"sv}},
      {{"X\r\nY", "a"}},
      {{"X Y", "a"}},
      {{"X:", "a"}},
      {{"", "a"}},
      {{"X", "a\x7f"}},
      {{"Content-Length", "1\r\nX: y"}},
  };
  for (const Metadata& headers : bad) {
    const std::string out = response({}, headers);
    EXPECT_TRUE(out.starts_with("refused: cannot write the HTTP message: ")) << out;
    EXPECT_EQ(out.find_first_of("\r\n\x7f"sv), std::string::npos) << "the message itself must be clean";
    EXPECT_TRUE(request({.host = "a"}, headers).starts_with("refused"));
    Buffer buffer;
    EXPECT_FALSE(write_last_chunk(buffer, headers).has_value());
    EXPECT_TRUE(buffer.empty()) << "nothing may be written";
    EXPECT_FALSE(PreparedResponse::make(200, headers).has_value());
  }
  EXPECT_TRUE(response({.status = 99}).starts_with("refused"));
  EXPECT_TRUE(response({.status = 1000}).starts_with("refused"));
  EXPECT_TRUE(response({.date = "a\r\nb"}).starts_with("refused"));
  EXPECT_TRUE(response({.status = 101, .upgrade = "a\r\nb"}).starts_with("refused"));
}

TEST(RequestHead, IsWritten) {
  EXPECT_EQ(request({.host = "a:80"}, {{"Accept", "*/*"}}), "GET / HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\n\r\n");
  EXPECT_EQ(request({.method = "POST", .target = "/x?y", .host = "a", .body = BodySize::exactly(0), .keep_alive = false},
                    {{"host", "evil"}}),
            "POST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(request({.method = "PUT", .host = "a", .body = BodySize::chunked(), .expect_continue = true}),
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(request({.upgrade = "h2c"}, {{"HTTP2-Settings", "AA"}}),
            "GET / HTTP/1.1\r\nHost: \r\nHTTP2-Settings: AA\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n");
}

TEST(RequestHead, RefusesWhatWouldSplitIt) {
  EXPECT_TRUE(request({.method = "G T", .host = "a"}).starts_with("refused"));
  EXPECT_TRUE(request({.method = "", .host = "a"}).starts_with("refused"));
  EXPECT_TRUE(request({.target = "/a b", .host = "a"}).starts_with("refused"));
  EXPECT_TRUE(request({.target = "/a\r\nX: y", .host = "a"}).starts_with("refused"));
  EXPECT_TRUE(request({.target = "", .host = "a"}).starts_with("refused"));
  EXPECT_TRUE(request({.host = "a\r\nX: y"}).starts_with("refused"));
  EXPECT_TRUE(request({.host = "a b"}).starts_with("refused"));
  EXPECT_TRUE(request({.host = "a", .body = BodySize::until_close()}).starts_with("refused"));
}

TEST(Chunks, AreWritten) {
  Buffer buffer;
  write_chunk(buffer, "hello");
  write_chunk(buffer, "");
  write_chunk(buffer, std::string(26, 'x'));
  ASSERT_TRUE(write_last_chunk(buffer).has_value());
  EXPECT_EQ(buffer.view(), "5\r\nhello\r\n1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
  buffer.clear();
  ASSERT_TRUE(write_last_chunk(buffer, {{"A", "1"}, {"B", "2"}}).has_value());
  EXPECT_EQ(buffer.view(), "0\r\nA: 1\r\nB: 2\r\n\r\n");
  EXPECT_FALSE(write_last_chunk(buffer, {{"content-length", "1"}}).has_value());
}

TEST(Chunks, MoveLargeDataIntoAChain) {
  Buffer data;
  data.append(std::string(100'000, 'x'));
  const char* const address = data.data();
  Chain chain;
  write_chunk(chain, std::move(data));
  write_chunk(chain, Buffer());
  write_chunk(chain, "y");
  ASSERT_TRUE(write_last_chunk(chain).has_value());
  std::array<std::string_view, 8> runs;
  const std::size_t count = chain.gather(runs);
  EXPECT_TRUE(std::any_of(runs.begin(), runs.begin() + count, [address](std::string_view run) { return run.data() == address; }));
  EXPECT_EQ(chain.flatten(), "186a0\r\n" + std::string(100'000, 'x') + "\r\n1\r\ny\r\n0\r\n\r\n");
}

TEST(Continue, IsWritten) {
  Buffer buffer;
  write_continue(buffer);
  Chain chain;
  write_continue(chain);
  EXPECT_EQ(buffer.view(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(chain.flatten(), buffer.view());
}

TEST(PreparedResponse, WritesHeadAndBody) {
  const auto prepared =
      PreparedResponse::make(200, {{"Content-Type", "application/json"}, {"Content-Length", "9"}, {"Date", "old"}});
  ASSERT_TRUE(prepared.has_value());
  Buffer buffer;
  prepared->write(buffer, "{}", {.date = kDate});
  EXPECT_EQ(buffer.view(),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Length: 2\r\n\r\n{}");
  buffer.clear();
  prepared->write(buffer, "abc", {.keep_alive = false, .omit_body = true});
  prepared->write(buffer, "", {.minor_version = 0});
  EXPECT_EQ(buffer.view(),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
  for (const std::size_t size : {Chain::kCopyThreshold, Chain::kCopyThreshold + 1}) {
    const std::string body(size, 'x');
    Chain chain;
    prepared->write(chain, body, {});
    EXPECT_TRUE(chain.flatten().ends_with("Content-Length: " + std::to_string(size) + "\r\n\r\n" + body));
  }
}

TEST(PreparedResponse, RefusesStatusesWithoutABody) {
  for (const int status : {99, 100, 101, 204, 304, 1000}) EXPECT_FALSE(PreparedResponse::make(status, {}).has_value()) << status;
}

// What the writers write, the parsers read.
TEST(RoundTrip, Requests) {
  const std::string body(3000, 'b');
  Chain chain;
  const Metadata headers{{"X-One", "1"}, {"x-one", "two words"}, {"Empty", ""}};
  ASSERT_TRUE(write_request_head(
      chain, {.method = "POST", .target = "/a?b", .host = "h:1", .body = BodySize::exactly(body.size())}, headers));
  chain.append(body);
  ASSERT_TRUE(write_request_head(chain, {.method = "PUT", .host = "h", .body = BodySize::chunked(), .keep_alive = false}, {}));
  write_chunk(chain, body);
  write_chunk(chain, "tail");
  ASSERT_TRUE(write_last_chunk(chain, {{"Sum", "1"}}));
  const std::string bytes(chain.flatten());
  for (const std::size_t step : {bytes.size(), std::size_t{1}, std::size_t{17}}) {
    RequestParser parser;
    EXPECT_EQ(transcript(parser, bytes, step),
              "HEAD POST /a?b 1.1 Host=h:1 X-One=1 x-one=two words Empty= Content-Length=3000 +keep +length:3000\nBODY " + body +
                  "\nEND\nHEAD PUT / 1.1 Host=h Transfer-Encoding=chunked Connection=close +close +chunked\nBODY " + body +
                  "tail\nEND Sum=1\n");
  }
}

TEST(RoundTrip, Responses) {
  Buffer buffer;
  write_continue(buffer);
  ASSERT_TRUE(write_response_head(buffer, {.status = 201, .body = BodySize::exactly(2), .date = kDate}, {{"Location", "/x"}}));
  buffer.append("ok");
  ASSERT_TRUE(write_response_head(buffer, {.body = BodySize::chunked()}, {}));
  write_chunk(buffer, "chunk");
  ASSERT_TRUE(write_last_chunk(buffer, {{"Sum", "1"}}));
  ASSERT_TRUE(write_response_head(buffer, {.body = BodySize::until_close()}, {}));
  buffer.append("rest");
  for (const std::size_t step : {buffer.size(), std::size_t{1}, std::size_t{17}}) {
    ResponseParser parser;
    EXPECT_EQ(
        transcript(parser, buffer.view(), step, true),
        "HEAD 201 'Created' 1.1 Location=/x Date=Sun, 06 Nov 1994 08:49:37 GMT Content-Length=2 +keep +length:2\nBODY ok\nEND\n"
        "HEAD 200 'OK' 1.1 Transfer-Encoding=chunked +keep +chunked\nBODY chunk\nEND Sum=1\n"
        "HEAD 200 'OK' 1.1 Connection=close +close\nBODY rest\nEND\n");
  }
}

}  // namespace
}  // namespace micro::http1
