#include <micro/coro/sleep.hpp>
#include <micro/server/websocket.hpp>
#include <micro/websocket/handshake.hpp>
#include <micro/websocket/session.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using websocket::MessageKind;

// A blocking WebSocket client.
class Client {
 public:
  Client(const TestServer& server, const std::string& target, websocket::ConnectOptions options = {},
         const std::string& headers = "")
      : fd_(server.connect()) {
    websocket::Offer offer = websocket::make_offer(options);
    std::string request = "GET " + target + " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + headers;
    for (const Metadata::Entry entry : offer.headers)
      request += std::string(entry.key) + ": " + std::string(entry.value) + "\r\n";
    send_all(fd_, request + "\r\n");
    while (head_.find("\r\n\r\n") == std::string::npos && receive(head_)) {
    }
    rest_ = head_.substr(head_.find("\r\n\r\n") + 4);
    head_.resize(head_.size() - rest_.size());
    const std::size_t extension = head_.find("Sec-WebSocket-Extensions: ");
    std::optional<websocket::Deflate> deflate;
    if (extension != std::string::npos) {
      const std::size_t begin = extension + 26;
      deflate = *websocket::read_deflate_answer(head_.substr(begin, head_.find("\r\n", begin) - begin), options.deflate);
    }
    session_.emplace(websocket::Role::kClient, websocket::Options{}, deflate);
  }
  ~Client() { ::close(fd_); }

  const std::string& head() const { return head_; }
  websocket::Session& session() { return *session_; }
  void text(std::string_view message) { send(MessageKind::kText, message); }
  void send(MessageKind as, std::string_view message) {
    ASSERT_TRUE(session_->send(as, message));
    flush();
  }
  void flush() {
    send_all(fd_, session_->output().flatten());
    session_->output().clear();
  }
  // The next message, or "closed <code> <reason>".
  std::string next() {
    while (true) {
      std::string_view input = rest_;
      const Result<websocket::Event> event = session_->next(input);
      rest_ = std::string(input);
      if (!event) return "broken " + event.error().message();
      flush();
      if (*event == websocket::Event::kPing) ++pings;
      if (*event == websocket::Event::kMessage) {
        kind = session_->kind();
        return std::string(session_->payload());
      }
      if (*event == websocket::Event::kClose) {
        return "closed " + std::to_string(session_->close_code()) + " " + std::string(session_->payload());
      }
      if (*event == websocket::Event::kNeedMore && !receive(rest_)) return "gone";
    }
  }
  MessageKind kind = MessageKind::kText;
  int pings = 0;

 private:
  bool receive(std::string& into) {
    std::array<char, 4096> buffer;
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got > 0) into.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0;
  }
  int fd_;
  std::string head_;
  std::string rest_;
  std::optional<websocket::Session> session_;
};

websocket::ConnectOptions offering(std::vector<std::string> subprotocols) {
  websocket::ConnectOptions options;
  options.subprotocols = std::move(subprotocols);
  return options;
}

std::string proto(std::string_view text) {
  Text value;
  value.set_value(std::string(text));
  return value.SerializeAsString();
}

TEST(ServerWebSocket, Unary) {
  TestServer server;
  server.start();
  Client client(server, "/test.Echo/Say");
  EXPECT_THAT(client.head(), StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_THAT(client.head(), HasSubstr("permessage-deflate"));
  client.text("\"hi\"");
  EXPECT_EQ(client.next(), "\"you said hi\"");
  EXPECT_EQ(client.next(), "closed 1000 ");
  EXPECT_EQ(client.next(), "gone");
}

TEST(ServerWebSocket, StreamsOfEachKind) {
  TestServer server;
  server.start();
  Client repeat(server, "/test.Echo/Repeat");
  repeat.text("\"m\"");
  for (const char* want : {"\"m0\"", "\"m1\"", "\"m2\"", "closed 1000 "}) EXPECT_EQ(repeat.next(), want);
  Client join(server, "/test.Echo/Join");
  for (const char* part : {"\"a\"", "\"b\"", "\"c\"", ""}) join.text(part);
  for (const char* want : {"\"abc\"", "closed 1000 "}) EXPECT_EQ(join.next(), want);
  Client chat(server, "/test.Echo/Chat");
  for (const char* part : {"\"1\"", "\"2\"", "\"3\""}) {
    chat.text(part);
    EXPECT_EQ(chat.next(), part);
  }
  chat.text("\"bye\"");
  EXPECT_EQ(chat.next(), "closed 1000 ");
}

TEST(ServerWebSocket, AnswersInTheKindOfTheCaller) {
  TestServer server;
  server.start();
  Client binary(server, "/test.Echo/Later");
  binary.send(MessageKind::kBinary, proto("hi"));
  EXPECT_EQ(binary.next(), proto("hi"));
  EXPECT_EQ(binary.kind, MessageKind::kBinary);
  Client offered(server, "/test.Echo/Later", offering({"other", "micro.proto"}));
  EXPECT_THAT(offered.head(), HasSubstr("Sec-WebSocket-Protocol: micro.proto\r\n"));
  offered.text("\"hi\"");
  EXPECT_EQ(offered.next(), proto("hi"));
}

TEST(ServerWebSocket, FailuresAreClosingCodes) {
  TestServer server;
  server.start();
  const struct {
    const char* method;
    const char* message;
    const char* end;
  } cases[] = {
      {"Say", "\"fail\"", "closed 4005 no such text"},
      {"Say", "\"throw\"", "closed 4013 the handler of /test.Echo/Say failed with an exception"},
      {"Say", "", "closed 4003 no request message for /test.Echo/Say, which takes one"},
      {"Say", "7", "closed 4003 "},
      {"Chat", "7", "closed 4003 "},
      {"Hang?timeout=20ms", "\"x\"", "closed 4004 "},
      {"Chat?timeout=20ms", "\"x\"", "\"x\""},
  };
  for (const auto& c : cases) {
    Client client(server, std::string("/test.Echo/") + c.method);
    client.text(c.message);
    const std::string end = client.next();
    EXPECT_THAT(end, StartsWith(c.end)) << c.method;
    EXPECT_LE(end.size(), 12U + 123U);
  }
  Client twice(server, "/test.Echo/Hang");
  twice.text("\"a\"");
  twice.text("\"b\"");
  EXPECT_THAT(twice.next(), StartsWith("closed 4003 more than one request"));
}

TEST(ServerWebSocket, RefusesWithAStatus) {
  ServerOptions options = TestServer::default_options();
  options.websocket_origins = {"https://page.example"};
  TestServer server(1, options);
  server.start();
  EXPECT_THAT(Client(server, "/test.Echo/Nope").head(), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Client(server, "/test.Echo/Say?timeout=soon").head(), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Client(server, "/test.Echo/Say", {}, "Origin: https://other.example\r\n").head(), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(Client(server, "/test.Echo/Say", {}, "Origin: https://page.example\r\n").head(), StartsWith("HTTP/1.1 101 "));
  const std::string old = http1(server,
                                "GET /test.Echo/Say HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n"
                                "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  EXPECT_THAT(old, StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(old, HasSubstr("Sec-WebSocket-Version: 13\r\n"));
}

TEST(ServerWebSocket, TheCallerThatClosesCancelsTheHandler) {
  TestServer server;
  server.start();
  {
    Client client(server, "/test.Echo/Hang");
    client.text("\"x\"");
    while (server.server.counters().open_calls == 0) std::this_thread::yield();
    client.session().close(1000);
    client.flush();
    EXPECT_EQ(client.next(), "closed 1000 ");
    Client gone(server, "/test.Echo/Hang");
    gone.text("\"x\"");
    while (server.server.counters().calls < 2) std::this_thread::yield();
  }
  EXPECT_EQ(server.stop(), 0U);
  EXPECT_GE(server.echo->cancelled_handlers, 1);
}

TEST(ServerWebSocket, BrokenFramesEndTheCall) {
  TestServer server;
  server.start();
  const int fd = server.connect();
  send_all(fd,
           "GET /test.Echo/Chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\xff\xff\xff\xff");
  const std::string answer = receive_until_close(fd);
  ::close(fd);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(answer, HasSubstr(std::string("\x03\xea", 2))) << "closed with 1002";
}

TEST(ServerWebSocket, AStopEndsCallsWith1001) {
  TestServer server;
  server.start();
  Client client(server, "/test.Echo/Chat");
  client.text("\"x\"");
  EXPECT_EQ(client.next(), "\"x\"");
  std::thread stopping([&] { server.stop(Duration{}); });
  EXPECT_THAT(client.next(), StartsWith("closed 1001 the server is stopping"));
  stopping.join();
}

TEST(ServerWebSocket, LargeMessagesBothWays) {
  TestServer server;
  server.start();
  Client client(server, "/test.Echo/Chat");
  const std::string large = "\"" + std::string(3 << 20, 'x') + "\"";
  client.text(large);
  EXPECT_EQ(client.next().size(), large.size());
  client.text("\"" + std::string(5 << 20, 'x') + "\"");
  EXPECT_THAT(client.next(), StartsWith("closed 1009 "));
  EXPECT_EQ(server.server.counters().oversized, 1U);
}

TEST(ServerWebSocket, OverHttp2) {
  TestServer server;
  server.start();
  Http2Client client(server);
  client.call("/test.Echo/Say", "settings have come");
  http2::Stream& stream = client.open_plain({{":method", "CONNECT"},
                                             {":protocol", "websocket"},
                                             {":scheme", "http"},
                                             {":path", "/test.Echo/Say"},
                                             {":authority", "x"},
                                             {"sec-websocket-version", "13"}},
                                            false);
  Answer& answer = client.answer();
  websocket::Session session(websocket::Role::kClient, {});
  ASSERT_TRUE(session.send(MessageKind::kText, "\"hi\""));
  client.session().submit_data(stream, session.output().flatten(), false);
  client.run_until([&] { return answer.closed; });
  EXPECT_EQ(answer.status, "200");
  std::string_view input = answer.data;
  ASSERT_EQ(*session.next(input), websocket::Event::kMessage);
  EXPECT_EQ(session.payload(), "\"you said hi\"");
  EXPECT_EQ(*session.next(input), websocket::Event::kClose);
  EXPECT_EQ(session.close_code(), 1000);
}

TEST(WebSocketLimit, MessagesThatAreNotWholeTakeFromWhatAllMay) {
  ServerOptions options = TestServer::default_options();
  options.max_buffered_bytes = 1'000'000;
  TestServer server(1, options);
  server.start();
  const auto begin = [](Client& client) {
    ASSERT_TRUE(client.session().send_piece(MessageKind::kText, std::string(400'000, ' '), false));
    client.flush();
  };
  Client first(server, "/test.Echo/Say"), second(server, "/test.Echo/Say"), third(server, "/test.Echo/Say");
  begin(first);
  begin(second);
  while (server.server.counters().buffered_bytes < 800'000) std::this_thread::yield();
  begin(third);
  EXPECT_THAT(third.next(), AllOf(StartsWith("closed 4014 "), HasSubstr("max_buffered_bytes")));
  EXPECT_EQ(server.server.counters().memory_refusals, 1U);
  // Those that were there first come to their end, and leave nothing behind.
  for (Client* client : {&first, &second}) {
    ASSERT_TRUE(client->session().send_piece(MessageKind::kText, "\"hi\"", true));
    client->flush();
    EXPECT_EQ(client->next(), "\"you said hi\"");
    EXPECT_EQ(client->next(), "closed 1000 ");
  }
  while (server.server.counters().buffered_bytes != 0) std::this_thread::yield();
}

TEST(WebSocketLimit, AMessageThatTricklesEndsTheCall) {
  ServerOptions options = TestServer::default_options();
  options.body_timeout = std::chrono::milliseconds(10);
  options.min_transfer_rate = 1'000'000;
  TestServer server(1, options);
  server.start();
  Client quick(server, "/test.Echo/Say");
  Client slow(server, "/test.Echo/Say");
  ASSERT_TRUE(slow.session().send_piece(MessageKind::kText, "\"", false));
  slow.flush();
  while (server.server.counters().body_timeouts == 0) {
    ASSERT_TRUE(slow.session().send_piece(MessageKind::kText, "x", false));
    slow.flush();
    std::this_thread::yield();
  }
  EXPECT_EQ(slow.next(), "closed 4004 the message came too slowly");
  // Who has not begun a message may take any time.
  quick.text("\"hi\"");
  EXPECT_EQ(quick.next(), "\"you said hi\"");
  EXPECT_EQ(server.server.counters().body_timeouts, 1U);
}

// A route that gives back what it gets.
class EchoSocket final : public WebSocketHandler {
 public:
  std::atomic<int> ended = 0;
  Task<Result<void>> handle(Context&, const http::Request&, const PathParameters& parameters, WebSocket& socket) override {
    Result<void> greeted = co_await socket.send_text("hello " + parameters[0].second + socket.subprotocol());
    if (!greeted) co_return greeted;
    while (true) {
      Result<std::optional<WebSocket::Message>> message = co_await socket.read();
      if (!message || !*message) {
        ++ended;
        co_return message ? Result<void>{} : fail(message.error());
      }
      if ((*message)->data == "close") socket.close(3001, "as you like");
      if ((*message)->data == "fail") co_return fail(permission_denied("not you"));
      Result<void> sent =
          (*message)->text ? co_await socket.send_text((*message)->data) : co_await socket.send_binary((*message)->data);
      if (!sent && (*message)->data != "close") co_return sent;
    }
  }
};

// Of who is silent for longer than this a busy machine may be to blame: for tests of silence alone.
ServerOptions impatient() {
  ServerOptions options = TestServer::default_options();
  options.keepalive_interval = std::chrono::milliseconds(5);
  return options;
}

struct WebSocketRoute : testing::Test {
  explicit WebSocketRoute(const ServerOptions& options = TestServer::default_options()) : server(1, options) {
    EXPECT_TRUE(server.server.http().websocket("/chat/{room}", handler, WebSocketOptions{.subprotocols = {"v2", "v1"}}));
    server.start();
  }
  std::shared_ptr<EchoSocket> handler = std::make_shared<EchoSocket>();
  TestServer server;
};

TEST_F(WebSocketRoute, MessagesGoBothWays) {
  Client client(server, "/chat/red", offering({"v1"}));
  EXPECT_EQ(client.next(), "hello redv1");
  client.text("a");
  EXPECT_EQ(client.next(), "a");
  client.send(MessageKind::kBinary, std::string_view("\0\1", 2));
  EXPECT_EQ(client.next(), std::string_view("\0\1", 2));
  EXPECT_EQ(client.kind, MessageKind::kBinary);
  client.session().close(1000, "done");
  client.flush();
  EXPECT_EQ(client.next(), "closed 1000 ");
  EXPECT_EQ(server.stop(), 0U);
  EXPECT_EQ(handler->ended, 1);
}

TEST_F(WebSocketRoute, TheHandlerMayEndIt) {
  Client client(server, "/chat/red");
  EXPECT_EQ(client.next(), "hello red");
  client.text("fail");
  EXPECT_EQ(client.next(), "closed 4007 not you");
  Client other(server, "/chat/red");
  EXPECT_EQ(other.next(), "hello red");
  other.text("close");
  EXPECT_EQ(other.next(), "closed 3001 as you like");
}

struct ImpatientWebSocketRoute : WebSocketRoute {
  ImpatientWebSocketRoute() : WebSocketRoute(impatient()) {}
};

TEST_F(ImpatientWebSocketRoute, SilentCallersArePingedAndTheDeadDropped) {
  Client client(server, "/chat/red");
  EXPECT_EQ(client.next(), "hello red");
  // Nothing is read here, so no ping is answered; then what has come shows them.
  while (handler->ended == 0) std::this_thread::yield();
  EXPECT_THAT(client.next(), StartsWith("closed 4014 "));
  EXPECT_GE(client.pings, 1);
  EXPECT_EQ(server.server.counters().websocket_timeouts, 1U);
}

// Notices late that the caller has gone.
class LateReader final : public WebSocketHandler {
 public:
  std::atomic<bool> cancelled = false;
  std::atomic<bool> connection_gone = false;
  std::atomic<bool> ended = false;
  std::vector<std::string> heard;
  Task<Result<void>> handle(Context& context, const http::Request&, const PathParameters&, WebSocket& socket) override {
    Result<void> greeted = co_await socket.send_text("hello");
    while (greeted && !connection_gone) {
      co_await sleep_for(std::chrono::milliseconds(1));
      cancelled = context.cancelled();
    }
    // Meanwhile the server would have sent a ping or two.
    for (int beats = 0; beats < 20; ++beats) co_await sleep_for(std::chrono::milliseconds(1));
    while (true) {
      Result<std::optional<WebSocket::Message>> message = co_await socket.read();
      heard.push_back(message && *message ? (*message)->data : "end");
      if (!message || !*message) break;
    }
    const Result<void> sent = co_await socket.send_text("too late");
    heard.emplace_back(sent ? "sent" : "not sent");
    socket.close();
    ended = true;
    co_return Result<void>{};
  }
};

TEST(WebSocketRoutes, AHandlerMayOutliveTheConnection) {
  TestServer server(1, impatient());
  const auto handler = std::make_shared<LateReader>();
  ASSERT_TRUE(server.server.http().websocket("/late", handler, {}));
  server.start();
  {
    Client client(server, "/late");
    EXPECT_EQ(client.next(), "hello");
    client.text("a");
    client.text("b");
  }
  while (!handler->cancelled || server.server.counters().open_connections != 0) std::this_thread::yield();
  handler->connection_gone = true;
  while (!handler->ended) std::this_thread::yield();
  EXPECT_THAT(handler->heard, ElementsAre("a", "b", "end", "not sent"));
  EXPECT_EQ(server.stop(), 0U);
}

TEST_F(WebSocketRoute, AStopClosesThem) {
  Client client(server, "/chat/red");
  EXPECT_EQ(client.next(), "hello red");
  std::thread stopping([&] { EXPECT_EQ(server.stop(), 0U); });
  EXPECT_EQ(client.next(), "closed 1001 the server is stopping");
  stopping.join();
}

TEST_F(WebSocketRoute, OtherRequestsAreToldToUpgrade) {
  const std::string answer = http1(server, "GET /chat/red HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 426 "));
}

}  // namespace
}  // namespace micro::rpc::test
