#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string body_of(const std::string& response) {
  std::string_view rest = std::string_view(response).substr(response.find("\r\n\r\n") + 4);
  if (response.find("chunked") == std::string::npos) return std::string(rest);
  std::string body;
  while (!rest.empty()) {
    const std::size_t size = std::stoul(std::string(rest.substr(0, rest.find("\r\n"))), nullptr, 16);
    rest.remove_prefix(rest.find("\r\n") + 2);
    body += rest.substr(0, size);
    rest.remove_prefix(size + 2);
  }
  return body;
}

std::string post(const TestServer& server, std::string_view method, std::string_view accept, std::string_view body,
                 std::string_view headers = "") {
  return http1(server, "POST /test.Echo/" + std::string(method) + " HTTP/1.1\r\nHost: x\r\nAccept: " + std::string(accept) +
                           "\r\nConnection: close\r\n" + std::string(headers) + "Content-Length: " + std::to_string(body.size()) +
                           "\r\n\r\n" + std::string(body));
}

constexpr std::string_view kEvents = "text/event-stream";
constexpr std::string_view kLines = "application/x-ndjson";

TEST(ServerEvents, EachMessageIsAnEvent) {
  TestServer server;
  server.start();
  const std::string answer = post(server, "Repeat", kEvents, "\"m\"");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_EQ(body_of(answer), "data: \"m0\"\n\ndata: \"m1\"\n\ndata: \"m2\"\n\nevent: end\ndata: {}\n\n");
  EXPECT_THAT(body_of(post(server, "Repeat", "*/*, text/event-stream;q=0.9", "\"m\"")), StartsWith("data: \"m0\"\n\n"));
}

TEST(ServerEvents, TheRequestMayBeInTheQuery) {
  TestServer server;
  server.start();
  const auto get = [&](const std::string& query) {
    return http1(server, "GET /test.Echo/Repeat" + query +
                             " HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n");
  };
  EXPECT_THAT(body_of(get("?message=%22q%22")), StartsWith("data: \"q0\"\n\n"));
  EXPECT_THAT(get(""), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(get(""), HasSubstr("?message="));
  EXPECT_THAT(get("?message=nonsense"), StartsWith("HTTP/1.1 400 "));
}

TEST(ServerEvents, LinesOfJson) {
  TestServer server;
  server.start();
  const std::string answer = post(server, "Repeat", kLines, "\"m\"");
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/x-ndjson\r\n"));
  EXPECT_EQ(body_of(answer), "\"m0\"\n\"m1\"\n\"m2\"\n");
}

TEST(ServerEvents, ErrorsBeforeTheFirstMessageAreStatuses) {
  TestServer server;
  server.start();
  for (const std::string_view accept : {kEvents, kLines}) {
    EXPECT_THAT(post(server, "Repeat", accept, "7"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(post(server, "Repeat", accept, "\"m\"", "grpc-timeout: soon\r\n"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(post(server, "Repeat", accept, "\"m\"", "Content-Type: text/xml\r\n"), StartsWith("HTTP/1.1 415 "));
    EXPECT_THAT(post(server, "Repeat", accept, "\"m\"", "grpc-timeout: 0n\r\n"), StartsWith("HTTP/1.1 504 "));
  }
}

// Like Echo::repeat, but goes on until its context ends, or fails when it is asked to.
class Feed final : public Handler {
 public:
  std::vector<Endpoint> endpoints() override {
    Endpoint endpoint;
    endpoint.service = "test.Feed";
    endpoint.method = "Watch";
    endpoint.kind = MethodKind::kServerStream;
    endpoint.request_type = endpoint.reply_type = &codec::message_type<Text>();
    endpoint.handler = std::make_shared<ServerStreamMethod<Feed, Text, Text>>(*this, &Feed::watch);
    return {endpoint};
  }
  std::atomic<int> ended = 0;

 private:
  Task<Result<void>> watch(Context& context, const Text& request, Writer<Text>& writer) {
    Text reply;
    reply.set_value("first\nline");
    if (Result<void> written = co_await writer.write(reply); !written) co_return written;
    if (request.value() == "fail") co_return fail(Error(Code::kNotFound, "NO_TEXT", "no more"));
    Result<void> slept = co_await sleep(context, std::chrono::hours(1));
    ++ended;
    co_return slept;
  }
};

std::string watch_request(std::string_view body, std::string_view headers = "") {
  return "POST /test.Feed/Watch HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

struct ServerFeed : testing::Test {
  ServerFeed() : server(1, options()) {
    EXPECT_TRUE(server.server.handle(feed));
    server.start();
  }
  static ServerOptions options() {
    ServerOptions options = TestServer::default_options();
    options.keepalive_interval = std::chrono::milliseconds(5);
    return options;
  }
  static std::string receive_until(int fd, std::string_view text) {
    std::string answer;
    std::array<char, 4096> buffer;
    while (answer.find(text) == std::string::npos) {
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return answer;
  }
  std::shared_ptr<Feed> feed = std::make_shared<Feed>();
  TestServer server;
};

TEST_F(ServerFeed, AnErrorInTheMiddleIsAnEvent) {
  const std::string answer = http1(server, watch_request("\"fail\"", "Connection: close\r\n"));
  EXPECT_EQ(body_of(answer),
            "data: \"first\\nline\"\n\nevent: error\ndata: {\"code\":\"NOT_FOUND\",\"reason\":\"NO_TEXT\",\"message\":\"no "
            "more\"}\n\n");
  const std::string lines = http1(server,
                                  "POST /test.Feed/Watch HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n"
                                  "Connection: close\r\nContent-Length: 6\r\n\r\n\"fail\"");
  EXPECT_THAT(body_of(lines), EndsWith("{\"error\":{\"code\":\"NOT_FOUND\",\"reason\":\"NO_TEXT\",\"message\":\"no more\"}}\n"));
}

TEST_F(ServerFeed, ADeadlineInTheMiddleIsAnErrorEvent) {
  const std::string answer = http1(server, watch_request("\"x\"", "grpc-timeout: 30m\r\nConnection: close\r\n"));
  EXPECT_THAT(body_of(answer), HasSubstr("event: error\ndata: {\"code\":\"DEADLINE_EXCEEDED\""));
}

TEST_F(ServerFeed, SilenceIsFilledWithComments) {
  const int fd = server.connect();
  send_all(fd, watch_request("\"x\""));
  EXPECT_THAT(receive_until(fd, "\r\n:"), HasSubstr("data: \"first\\nline\"\n\n"));
  ::close(fd);
  EXPECT_EQ(server.stop(), 0U);
  EXPECT_EQ(feed->ended, 1);
}

TEST_F(ServerFeed, OverHttp2) {
  Http2Client client(server);
  http2::Stream& stream = client.open_plain({{":method", "POST"},
                                             {":scheme", "http"},
                                             {":path", "/test.Feed/Watch"},
                                             {":authority", "x"},
                                             {"accept", "text/event-stream"}},
                                            false);
  Answer& answer = client.answer();
  client.session().submit_data(stream, std::string_view("\"x\""), true);
  client.run_until([&] { return answer.data.find("\n\n:") != std::string::npos; });
  EXPECT_EQ(answer.field("content-type"), "text/event-stream");
  EXPECT_THAT(answer.data, StartsWith("data: \"first\\nline\"\n\n"));
}

TEST(ServerEvents, StreamingMethodsSayHowTheyCanBeCalled) {
  TestServer server;
  server.start();
  const std::string repeat = post(server, "Repeat", "*/*", "\"m\"");
  EXPECT_THAT(repeat, StartsWith("HTTP/1.1 501 "));
  for (const char* way : {"gRPC", "gRPC-Web", "WebSocket", "text/event-stream", "application/x-ndjson"})
    EXPECT_THAT(repeat, HasSubstr(way));
  EXPECT_THAT(post(server, "Chat", kEvents, "\"m\""), StartsWith("HTTP/1.1 501 "));
}

}  // namespace
}  // namespace micro::rpc::test
