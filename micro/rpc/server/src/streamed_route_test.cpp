#include <micro/server/http_stream.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// "/stream/{what}": what to do is in the path.
class Pieces final : public StreamingHttpHandler {
 public:
  std::atomic<int> cancelled_writes = 0;
  std::atomic<std::size_t> written = 0;

  Task<Result<void>> handle(Context& context, const http::Request& request, const PathParameters& parameters,
                            ResponseWriter& response) override {
    const std::string& what = parameters[0].second;
    response.headers.add("Content-Type", "text/plain");
    if (what == "empty") co_return Result<void>{};
    if (what == "refuse") co_return fail(permission_denied("not you"));
    if (what == "broken") response.headers.add("X-Bad", "a\r\nb");
    if (what == "endless") co_return co_await fill(response, static_cast<std::size_t>(-1));
    if (what == "large") co_return co_await fill(response, 64 << 20);
    response.status = 201;
    response.trailers.add("X-Sum", "done");
    for (const char* piece : {"one ", "two ", "three"}) {
      Result<void> sent = co_await response.write(piece);
      if (!sent) co_return sent;
      co_await Loop::current()->yield();
      if (what == "break") co_return fail(internal("in the middle"));
      if (what == "throw") throw std::runtime_error("in the middle");
    }
    if (what == "echo") co_return co_await response.write(request.body);
    if (what == "hang") co_return co_await sleep(context, std::chrono::hours(1));
    co_return Result<void>{};
  }

 private:
  Task<Result<void>> fill(ResponseWriter& response, std::size_t bytes) {
    const std::string piece(64 * 1024, 'x');
    for (std::size_t sent = 0; sent < bytes; sent += piece.size()) {
      Result<void> done = co_await response.write(piece);
      if (!done) {
        ++cancelled_writes;
        co_return done;
      }
      written += piece.size();
    }
    co_return Result<void>{};
  }
};

struct StreamedRoute : testing::Test {
  StreamedRoute() {
    EXPECT_TRUE(server.server.http().add("*", "/stream/{what}", pieces));
    server.start();
  }
  std::string get(std::string_view what, std::string_view version = "1.1", std::string_view method = "GET") {
    return http1(server, std::string(method) + " /stream/" + std::string(what) + " HTTP/" + std::string(version) +
                             "\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
  static std::vector<http2::Field> head(std::string_view path) {
    return {{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "x"}};
  }
  std::shared_ptr<Pieces> pieces = std::make_shared<Pieces>();
  TestServer server;
};

TEST_F(StreamedRoute, IsChunkedOnHttp11) {
  const std::string answer = get("plain");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 Created\r\n"));
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\nX-Sum: done\r\n\r\n"));
}

TEST_F(StreamedRoute, EndsWithTheConnectionOnHttp10) {
  const std::string answer = get("plain", "1.0");
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\none two three"));
}

TEST_F(StreamedRoute, HasNoBodyForHead) {
  EXPECT_THAT(get("plain", "1.1", "HEAD"), EndsWith("\r\n\r\n"));
  const std::string twice = http1(server,
                                  "HEAD /stream/plain HTTP/1.1\r\nHost: x\r\n\r\nGET /stream/empty HTTP/1.1\r\nHost: x\r\n"
                                  "Connection: close\r\n\r\n");
  EXPECT_THAT(twice, HasSubstr("\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST_F(StreamedRoute, KeepsTheConnection) {
  std::string requests;
  for (int i = 0; i < 3; ++i) {
    requests += "POST /stream/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n" +
                std::string(i == 2 ? "Connection: close\r\n" : "") + "\r\n#" + std::to_string(i);
  }
  const std::string answers = http1(server, requests);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(answers, HasSubstr("2\r\n#" + std::to_string(i) + "\r\n0\r\n"));
}

TEST_F(StreamedRoute, MayHaveNoPieces) {
  const std::string answer = get("empty");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 0\r\n"));
}

TEST_F(StreamedRoute, AnErrorBeforeTheFirstPieceIsAStatus) {
  const std::string answer = get("refuse");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(answer, HasSubstr("\"message\":\"not you\""));
  EXPECT_THAT(get("broken"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(StreamedRoute, AnErrorInTheMiddleBreaksOff) {
  for (const char* what : {"break", "throw"}) EXPECT_THAT(get(what), EndsWith("\r\n\r\n4\r\none \r\n")) << what;
  Http2Client client(server);
  client.open_plain(head("/stream/break"), true);
  Answer& answer = client.answer();
  client.run_until([&] { return answer.closed; });
  EXPECT_EQ(answer.data, "one ");
  EXPECT_TRUE(answer.reset);
  EXPECT_EQ(answer.reset_code, http2::ErrorCode::kInternalError);
}

TEST_F(StreamedRoute, WorksOnHttp2) {
  Http2Client client(server);
  client.open_plain(head("/stream/plain"), true);
  Answer& answer = client.answer();
  client.run_until([&] { return answer.closed; });
  EXPECT_EQ(answer.status, "201");
  EXPECT_EQ(answer.data, "one two three");
  EXPECT_EQ(answer.field("x-sum"), "done");
  EXPECT_EQ(answer.field("content-length"), "");
  EXPECT_FALSE(answer.reset);
}

// However much there is to send, what waits in memory stays small: the rest of what was written is in the buffers of the sockets.
TEST_F(StreamedRoute, WaitsForTheCallerOnHttp11) {
  const int fd = server.connect();
  send_all(fd, "GET /stream/large HTTP/1.0\r\n\r\n");
  std::array<char, 65536> buffer;
  std::size_t received = 0;
  while (received < (1 << 20)) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    ASSERT_GT(got, 0);
    received += static_cast<std::size_t>(got);
  }
  EXPECT_LT(pieces->written, received + (32 << 20));
  received += receive_until_close(fd).size();
  ::close(fd);
  EXPECT_GT(received, 64U << 20);
  EXPECT_EQ(pieces->written, 64U << 20);
}

TEST_F(StreamedRoute, WaitsForTheCallerOnHttp2) {
  Http2Client client(server);
  client.open_plain(head("/stream/large"), true);
  Answer& answer = client.answer();
  client.run_until([&] { return answer.data.size() > (1 << 20); });
  EXPECT_LT(pieces->written, answer.data.size() + (48 << 20));
  client.run_until([&] { return answer.closed; });
  EXPECT_EQ(answer.data.size(), 64U << 20);
  EXPECT_FALSE(answer.reset);
}

TEST_F(StreamedRoute, EndsWhenTheCallerGoesAway) {
  const int fd = server.connect();
  send_all(fd, "GET /stream/endless HTTP/1.1\r\nHost: x\r\n\r\n");
  while (pieces->written == 0) std::this_thread::yield();
  ::close(fd);
  {
    Http2Client client(server);
    http2::Stream& stream = client.open_plain(head("/stream/endless"), true);
    Answer& answer = client.answer();
    client.run_until([&] { return !answer.data.empty(); });
    client.session().reset(stream, http2::ErrorCode::kCancel);
    client.flush();
  }
  EXPECT_EQ(server.stop(), 0U);
  EXPECT_EQ(pieces->cancelled_writes, 2);
}

TEST_F(StreamedRoute, AStopBreaksOffWhatDoesNotEnd) {
  const int fd = server.connect();
  send_all(fd, "GET /stream/hang HTTP/1.1\r\nHost: x\r\n\r\n");
  std::string answer;
  std::array<char, 4096> buffer;
  while (answer.find("three") == std::string::npos) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    ASSERT_GT(got, 0);
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  EXPECT_EQ(server.stop(Duration{}), 0U);
  answer += receive_until_close(fd);
  ::close(fd);
  EXPECT_THAT(answer, EndsWith("5\r\nthree\r\n"));
}

TEST(HttpExchange, AnEarlyAnswerKeepsTheConnectionWhenLittleIsLeft) {
  ServerOptions options = TestServer::default_options();
  options.max_receive_message_size = 1000;
  TestServer server(1, options);
  server.start();
  const std::string small =
      http1(server, "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x') +
                        "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\"hi\"");
  EXPECT_THAT(small, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(small, HasSubstr("\"you said hi\""));
  const std::string large =
      http1(server, "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n" + std::string(2000, 'x'));
  EXPECT_THAT(large, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(large, HasSubstr("Connection: close\r\n"));
  const std::string chunked = http1(
      server, "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x'));
  EXPECT_THAT(chunked, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(chunked, HasSubstr("Connection: close\r\n"));
}

TEST(HttpExchange, ABodyThatWillBeRefusedIsNotAskedFor) {
  TestServer server;
  server.start();
  const std::string refused = http1(server,
                                    "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                    "Content-Length: 99999999\r\n\r\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 413 "));
  const std::string wanted = http1(server,
                                   "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
                                   "Content-Length: 4\r\n\r\n\"hi\"");
  EXPECT_THAT(wanted, StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST(HttpExchange, ABrokenBodyIsAnsweredOnce) {
  TestServer server;
  server.start();
  const std::string answer =
      http1(server, "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\"hi\"\r\nzz\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(answer.find("HTTP/1.1", 8), std::string::npos);
}

}  // namespace
}  // namespace micro::rpc::test
