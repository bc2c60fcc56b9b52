// What one HTTP/2 peer can make a server do, beyond what http2's own tests show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using ::testing::HasSubstr;

// Handlers that do not notice that they are cancelled, until they are let go.
class Stubborn final : public Handler {
 public:
  std::vector<Endpoint> endpoints() override {
    Endpoint endpoint;
    endpoint.service = "test.Stubborn";
    endpoint.method = "Stay";
    endpoint.kind = MethodKind::kUnary;
    endpoint.request_type = endpoint.reply_type = &codec::message_type<Text>();
    endpoint.handler = std::make_shared<UnaryMethod<Stubborn, Text, Text>>(*this, &Stubborn::stay);
    std::vector<Endpoint> list;
    list.push_back(std::move(endpoint));
    return list;
  }
  std::atomic<bool> let_go = false;
  std::atomic<int> running = 0;

 private:
  Task<Result<Text>> stay(Context&, const Text& request) {
    ++running;
    while (!let_go) co_await Loop::current()->yield();
    --running;
    co_return request;
  }
};

class StubbornServer {
 public:
  StubbornServer() : server(1, options()) {
    EXPECT_TRUE(server.server.handle(handler));
    server.start();
  }
  ~StubbornServer() { handler->let_go = true; }
  static ServerOptions options() {
    ServerOptions result = TestServer::default_options();
    result.max_concurrent_streams = 3;
    return result;
  }
  std::shared_ptr<Stubborn> handler = std::make_shared<Stubborn>();
  TestServer server;
};

std::vector<http2::Field> json_request() {
  return {{":method", "POST"}, {":scheme", "http"}, {":path", "/test.Stubborn/Stay"}, {"content-type", "application/json"}};
}

// One way a client has to leave a handler behind.
void leave(Http2Client& client, int way) {
  if (way == 0 || way == 2) {
    http2::Stream& stream = way == 0 ? client.open("/test.Stubborn/Stay") : client.open_plain(json_request(), false);
    if (way == 0) {
      client.message(stream, "x", true);
    } else {
      client.session().submit_data(stream, "\"x\"", true);
    }
    client.session().reset(stream, http2::ErrorCode::kCancel);
    client.flush();
    return;
  }
  // The deadline passes: the caller is answered, the handler goes on.
  std::vector<http2::Field> extra{{"grpc-timeout", "1n"}};
  if (way == 1) {
    EXPECT_EQ(client.call("/test.Stubborn/Stay", "x", extra).field("grpc-status"), "4");
    return;
  }
  std::vector<http2::Field> fields = json_request();
  fields.push_back(extra[0]);
  http2::Stream& stream = client.open_plain(fields, false);
  Answer& answer = client.answer();
  client.session().submit_data(stream, "\"x\"", true);
  client.run_until([&] { return answer.closed; });
  EXPECT_EQ(answer.status, "504");
}

TEST(Http2Abuse, HandlersLeftBehindCountAsStreams) {
  for (int way = 0; way < 4; ++way) {
    SCOPED_TRACE(way);
    StubbornServer stubborn;
    Http2Client client(stubborn.server);
    for (int i = 0; i < 3; ++i) leave(client, way);
    Answer& refused = client.call("/test.Echo/Say", "x");
    EXPECT_TRUE(refused.reset);
    EXPECT_EQ(refused.reset_code, http2::ErrorCode::kRefusedStream);
    EXPECT_EQ(stubborn.handler->running, 3);
    EXPECT_EQ(stubborn.server.server.counters().refused_streams, 1U);
    // They count for their own connection only, and no longer than they run.
    Http2Client other(stubborn.server);
    EXPECT_EQ(other.call("/test.Echo/Say", "x").field("grpc-status"), "0");
    stubborn.handler->let_go = true;
    while (stubborn.handler->running != 0) std::this_thread::yield();
    EXPECT_EQ(client.call("/test.Echo/Say", "x").field("grpc-status"), "0");
  }
}

TEST(Http2Abuse, HandlersMayOutliveTheirConnection) {
  StubbornServer stubborn;
  {
    Http2Client client(stubborn.server);
    for (const int way : {0, 1, 2}) leave(client, way);
    while (stubborn.handler->running != 3) std::this_thread::yield();
  }
  while (stubborn.server.server.counters().open_connections != 0) std::this_thread::yield();
  stubborn.handler->let_go = true;
  EXPECT_EQ(stubborn.server.stop(), 0U);
  EXPECT_EQ(stubborn.handler->running, 0);
}

TEST(Http2Only, ClosesWhatIsNotHttp2) {
  ServerOptions options = TestServer::default_options();
  options.http1 = false;
  TestServer server(1, options);
  server.start();
  const std::string answer = http1(server, "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\"x\"");
  EXPECT_THAT(answer, HasSubstr("the connection preface is missing"));
  EXPECT_THAT(answer, ::testing::Not(HasSubstr("HTTP/1.1")));
  Http2Client client(server);
  EXPECT_EQ(client.call("/test.Echo/Say", "x").field("grpc-status"), "0");
}

TEST(Http2Counters, TellOfHeadersThatAreTooLarge) {
  ServerOptions options = TestServer::default_options();
  options.max_header_bytes = 1000;
  TestServer server(1, options);
  server.start();
  {
    Http2Client client(server);
    client.call("/test.Echo/Say", "x");
    client.open("/test.Echo/Say", {{"x-long", std::string(1300, 'a')}}, true);  // less on the wire
    Answer& too_large = client.answer();
    client.run_until([&] { return too_large.closed; });
    EXPECT_EQ(too_large.status, "");
    EXPECT_EQ(client.call("/test.Echo/Say", "x").messages.size(), 1U) << "only its stream was reset";
  }
  while (server.server.counters().oversized == 0) std::this_thread::yield();
  EXPECT_EQ(server.server.counters().oversized, 1U);
  EXPECT_EQ(server.server.counters().refused_streams, 0U);
  EXPECT_EQ(server.server.counters().dropped_answers, 0U);
}

}  // namespace
}  // namespace micro::rpc::test
