#include <micro/web_client/websocket.hpp>

#include "fake_peer.hpp"

namespace micro::web::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using websocket::MessageKind;

const Target kTarget{.address = {.host = "server", .port = 8080}, .path = "/chat?room=1"};

class WebSocketTest : public PeerTest {
 protected:
  using Socket = std::unique_ptr<WebSocket>;

  // Opens a connection that the peer accepts.
  Socket open(WebSocketOptions options = {}, websocket::AcceptOptions accept = {}) {
    auto stream = connection();
    Result<Socket> socket =
        run(WebSocket::open(context_, std::move(stream), kTarget, std::move(options)), peer().accept(std::move(accept)));
    EXPECT_TRUE(socket.has_value()) << socket.error().to_string();
    return socket ? std::move(*socket) : nullptr;
  }

  static Task<std::string> read(WebSocket& socket) {
    Result<std::optional<WebSocket::Message>> message = co_await socket.read();
    if (!message) co_return "error: " + message.error().to_string();
    if (!*message) co_return "closed " + std::to_string(socket.close_code()) + " " + socket.close_reason();
    co_return ((*message)->kind == MessageKind::kText ? "text(" : "binary(") + std::string((*message)->view()) + ")";
  }
};

TEST_P(WebSocketTest, OpensAndTalks) {
  WebSocketOptions options;
  options.headers.add("Authorization", "Bearer x");
  options.subprotocols = {"one", "two"};
  const Socket socket = open(options, {.subprotocols = {"two"}});
  EXPECT_EQ(peer().head().target, "/chat?room=1");
  EXPECT_EQ(peer().head().authority(), "server:8080");
  EXPECT_EQ(peer().head().headers.get("authorization"), "Bearer x");
  EXPECT_EQ(socket->subprotocol(), "two");
  EXPECT_TRUE(socket->headers().contains("sec-websocket-accept"));
  EXPECT_EQ(context_.peer(), "server:8080");

  const auto client = [&]() -> Task<std::vector<std::string>> {
    std::vector<std::string> heard;
    EXPECT_TRUE(co_await socket->write("hello"));
    EXPECT_TRUE(co_await socket->write(MessageKind::kBinary, std::string_view("\0\xff", 2)));
    EXPECT_TRUE(co_await socket->write(std::string(100000, 'x')));
    for (int i = 0; i < 3; ++i) heard.push_back(co_await read(*socket));
    EXPECT_TRUE(co_await socket->close(1000, "bye"));
    heard.push_back(co_await read(*socket));
    co_return heard;
  };
  std::vector<std::string> seen;
  const auto server = [&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) seen.push_back(co_await peer().next());
    co_await peer().text("world");
    co_await peer().binary(std::string(70000, 'y'));
    co_await peer().text("");
    seen.push_back(co_await peer().next());
  };
  EXPECT_THAT(run(client(), server()),
              ElementsAre("text(world)", "binary(" + std::string(70000, 'y') + ")", "text()", "closed 1000 "));
  EXPECT_THAT(seen, ElementsAre("text(hello)", "binary(" + std::string("\0\xff", 2) + ")",
                                "text(" + std::string(100000, 'x') + ")", "close(1000,bye)"));
}

TEST_P(WebSocketTest, MessagesRightBehindTheHandshakeAreNotLost) {
  auto stream = connection();
  const auto server = [&]() -> Task<void> {
    (void)co_await peer().request();
    const std::string accept = websocket::accept_key(peer().head().headers.get("sec-websocket-key"));
    const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept +
        "\r\n\r\n\x81\x05hello\x88\x02\x03\xe8";
    co_await peer().send(answer);
  };
  Result<Socket> socket = run(WebSocket::open(context_, std::move(stream), kTarget, {}), server());
  ASSERT_TRUE(socket.has_value()) << socket.error().to_string();
  EXPECT_EQ(run(read(**socket)), "text(hello)");
  EXPECT_EQ(run(read(**socket)), "closed 1000 ");
  EXPECT_EQ(run(read(**socket)), "closed 1000 ") << "and it stays so";
}

TEST_P(WebSocketTest, AnAnswerOtherThan101IsTheServersError) {
  auto stream = connection();
  const auto server = [&]() -> Task<void> {
    (void)co_await peer().request();
    co_await peer().respond(403, "application/json", R"({"code":"PERMISSION_DENIED","reason":"NO","message":"not you"})");
  };
  Result<Socket> socket = run(WebSocket::open(context_, std::move(stream), kTarget, {}), server());
  ASSERT_FALSE(socket.has_value());
  EXPECT_EQ(socket.error(), permission_denied("not you").with_reason("NO"));
}

TEST_P(WebSocketTest, AnswersAgainstTheRulesAreRefused) {
  for (const std::string_view answer :
       {"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
        "HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n", "nonsense\r\n\r\n"}) {
    auto stream = connection();
    const auto server = [&]() -> Task<void> {
      (void)co_await peer().request();
      co_await peer().send(answer);
    };
    Result<Socket> socket = run(WebSocket::open(context_, std::move(stream), kTarget, {}), server());
    ASSERT_FALSE(socket.has_value());
    EXPECT_EQ(socket.error().code(), Code::kInternal) << socket.error().to_string();
    EXPECT_THAT(socket.error().message(), HasSubstr("ws://server:8080/chat?room=1"));
  }
}

TEST_P(WebSocketTest, AServerThatHangsUpBeforeItAnswers) {
  auto stream = connection();
  const auto server = [&]() -> Task<void> {
    (void)co_await peer().request();
    peer().stream().close();
  };
  Result<Socket> socket = run(WebSocket::open(context_, std::move(stream), kTarget, {}), server());
  ASSERT_FALSE(socket.has_value());
  EXPECT_EQ(socket.error().code(), Code::kUnavailable);
}

TEST_P(WebSocketTest, ASilentServerIsGivenUp) {
  auto stream = connection();
  WebSocketOptions options;
  options.open_timeout = std::chrono::milliseconds(5);
  Result<Socket> socket = run(WebSocket::open(context_, std::move(stream), kTarget, options));
  ASSERT_FALSE(socket.has_value());
  EXPECT_EQ(socket.error().code(), Code::kUnavailable);
  EXPECT_THAT(socket.error().message(), HasSubstr("no answer to the handshake within 5ms"));
}

TEST_P(WebSocketTest, TheServersGoodbye) {
  const Socket socket = open();
  const auto server = [&]() -> Task<void> {
    co_await peer().text("last");
    co_await peer().close(4001, "enough");
    EXPECT_EQ(co_await peer().next(), "close(4001,)");
    EXPECT_EQ(co_await peer().next(), "gone");
  };
  const auto client = [&]() -> Task<std::string> {
    const std::string first = co_await read(*socket);
    co_return first + " " + co_await read(*socket);
  };
  EXPECT_EQ(run(client(), server()), "text(last) closed 4001 enough");
  const auto late = run(socket->write("late"));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code(), Code::kCancelled);
  EXPECT_THAT(late.error().message(), HasSubstr("closed the WebSocket with code 4001 (enough)"));
  EXPECT_TRUE(run(socket->close()).has_value());
}

TEST_P(WebSocketTest, AConnectionThatBreaks) {
  const Socket socket = open();
  peer().stream().close();
  EXPECT_THAT(run(read(*socket)), HasSubstr("error: UNAVAILABLE [WEBSOCKET_ABNORMAL]: ws://server:8080/chat?room=1: "));
  EXPECT_EQ(socket->close_code(), 1006);
  EXPECT_EQ(run(socket->write("late")).error().reason(), "WEBSOCKET_ABNORMAL");
  EXPECT_FALSE(run(socket->close()).has_value());

  const Socket another = open();
  wire_->fail_reads(ECONNRESET);
  EXPECT_THAT(run(read(*another)), HasSubstr("Connection reset by peer"));
}

TEST_P(WebSocketTest, WritingNoticesTheGoodbye) {
  const Socket socket = open();
  run(peer().close(4005, "no such room"));
  // Nobody has read, so it is the write that finds the close frame.
  Result<void> written = run(socket->write("late"));
  while (written) written = run(socket->write("late"));
  EXPECT_EQ(written.error().code(), Code::kCancelled);
  EXPECT_EQ(socket->close_code(), 4005);
}

TEST_P(WebSocketTest, WritingNoticesAGoodbyeRightBehindTheHandshake) {
  auto stream = connection();
  const auto server = [&]() -> Task<void> {
    (void)co_await peer().request();
    const std::string accept = websocket::accept_key(peer().head().headers.get("sec-websocket-key"));
    const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept +
        "\r\n\r\n\x88\x02\x0f\xa4";
    co_await peer().send(answer);
  };
  Result<Socket> socket = run(WebSocket::open(context_, std::move(stream), kTarget, {}), server());
  ASSERT_TRUE(socket.has_value()) << socket.error().to_string();
  const Result<void> written = run((*socket)->write("hello"));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code(), Code::kCancelled);
  EXPECT_EQ((*socket)->close_code(), 4004);
}

TEST_P(WebSocketTest, AWriterWhoReadsNothingLearnsWhyItHasEnded) {
  const Socket socket = open();
  // More than is taken in before somebody reads it.
  for (int i = 0; i < 6; ++i) {
    run(peer().text(std::string(60'000, 'x')));
    EXPECT_TRUE(run(socket->write("hello")));
  }
  context_.cancel(cancelled("no more"));
  const Result<void> written = run(socket->write("more"));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code(), Code::kCancelled) << written.error().to_string();
  EXPECT_THAT(written.error().message(), HasSubstr("no more"));
}

TEST_P(WebSocketTest, MessagesThatCameWhileWritingAreKept) {
  const Socket socket = open();
  run(peer().text("one"));
  run(peer().text("two"));
  EXPECT_TRUE(run(socket->write("hello")).has_value());
  EXPECT_EQ(run(read(*socket)), "text(one)");
  EXPECT_EQ(run(read(*socket)), "text(two)");
}

TEST_P(WebSocketTest, PingsAreAnsweredWhileReading) {
  const Socket socket = open();
  std::vector<std::string> seen;
  const auto server = [&]() -> Task<void> {
    peer().session().ping("are you there");
    co_await peer().flush();
    seen.push_back(co_await peer().next());
    co_await peer().text("done");
  };
  EXPECT_EQ(run(read(*socket), server()), "text(done)");
  EXPECT_THAT(seen, ElementsAre("pong(are you there)"));
  EXPECT_TRUE(run(socket->ping("me too")).has_value());
  const auto last = [&]() -> Task<void> { seen.push_back(co_await peer().next()); };
  run(last());
  EXPECT_EQ(seen.back(), "ping(me too)");
}

TEST_P(WebSocketTest, ASilentConnectionIsAskedAndThenGivenUp) {
  WebSocketOptions options;
  options.keepalive_interval = std::chrono::milliseconds(2);
  options.keepalive_timeout = std::chrono::milliseconds(3);
  const Socket socket = open(options);
  EXPECT_THAT(run(read(*socket)), HasSubstr("no answer to a ping within 3ms"));
  const auto server = [&]() -> Task<void> { EXPECT_EQ(co_await peer().next(), "ping()"); };
  run(server());
}

TEST_P(WebSocketTest, AnAnsweredPingKeepsItOpen) {
  WebSocketOptions options;
  options.keepalive_interval = std::chrono::milliseconds(1);
  options.keepalive_timeout = std::chrono::hours(1);
  const Socket socket = open(options);
  const auto server = [&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await peer().next(), "ping()");
    co_await peer().text("still here");
  };
  EXPECT_EQ(run(read(*socket), server()), "text(still here)");
}

TEST_P(WebSocketTest, CancellationEndsARead) {
  const Socket socket = open();
  const auto server = [&]() -> Task<void> {
    context_.cancel(cancelled("no longer wanted"));
    EXPECT_EQ(co_await peer().next(), "close(1001,)");
  };
  EXPECT_EQ(run(read(*socket), server()), "error: CANCELLED: ws://server:8080/chat?room=1: no longer wanted");
  EXPECT_EQ(run(socket->write("x")).error().code(), Code::kCancelled);
}

TEST_P(WebSocketTest, TheDeadlineOfTheContextEndsIt) {
  context_.set_timeout(std::chrono::milliseconds(5));
  auto stream = connection();
  WebSocketOptions options;
  options.open_timeout = Duration::zero();
  Result<Socket> socket = run(WebSocket::open(context_, std::move(stream), kTarget, options));
  ASSERT_FALSE(socket.has_value());
  EXPECT_EQ(socket.error().code(), Code::kDeadlineExceeded);
  EXPECT_THAT(socket.error().message(), HasSubstr("ws://server:8080/chat?room=1: not finished within"));
}

TEST_P(WebSocketTest, DestroyingItTellsTheServer) {
  Socket socket = open();
  socket.reset();
  const auto server = [&]() -> Task<void> {
    EXPECT_EQ(co_await peer().next(), "close(1001,)");
    EXPECT_EQ(co_await peer().next(), "gone");
  };
  run(server());
}

TEST_P(WebSocketTest, AServerThatDoesNotSayGoodbye) {
  const Socket socket = open();
  const auto closed = run(socket->close(1000, {}, std::chrono::milliseconds(3)));
  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(closed.error().code(), Code::kUnavailable);
  EXPECT_THAT(closed.error().message(), HasSubstr("did not answer the close frame within 3ms"));
}

TEST_P(WebSocketTest, CloseWhileSomebodyReads) {
  const Socket socket = open();
  const auto client = [&]() -> Task<std::string> {
    auto both = co_await when_all(read(*socket), socket->close(1000));
    EXPECT_TRUE(std::get<1>(both).has_value());
    co_return std::get<0>(both);
  };
  const auto server = [&]() -> Task<void> { EXPECT_EQ(co_await peer().next(), "close(1000,)"); };
  EXPECT_EQ(run(client(), server()), "closed 1000 ");
}

TEST_P(WebSocketTest, ABadServer) {
  const Socket socket = open();
  const auto server = [&]() -> Task<void> {
    co_await peer().send("\x81\x81masked");
    EXPECT_EQ(co_await peer().next(), "close(1002,a frame of the server is masked)");
  };
  EXPECT_THAT(run(read(*socket), server()), HasSubstr("INTERNAL [WEBSOCKET_PROTOCOL]"));
}

TEST_P(WebSocketTest, LargeMessagesAreRefused) {
  WebSocketOptions options;
  options.max_message = 10;
  const Socket socket = open(options);
  const auto server = [&]() -> Task<void> {
    co_await peer().text("0123456789");
    co_await peer().text("0123456789x");
  };
  const auto client = [&]() -> Task<std::string> {
    const std::string first = co_await read(*socket);
    co_return first + " " + co_await read(*socket);
  };
  EXPECT_THAT(run(client(), server()), AllOf(HasSubstr("text(0123456789) error: RESOURCE_EXHAUSTED [WEBSOCKET_TOO_LARGE]")));
}

TEST_P(WebSocketTest, CompressesWhenBothWantIt) {
  const Socket socket = open();
  EXPECT_THAT(std::string(socket->headers().get("sec-websocket-extensions")), HasSubstr("permessage-deflate"));
  const std::string large(50000, 'z');
  const auto client = [&]() -> Task<std::string> {
    EXPECT_TRUE(co_await socket->write(large));
    co_return co_await read(*socket);
  };
  const auto server = [&]() -> Task<void> {
    EXPECT_EQ(co_await peer().next(), "text(" + large + ")");
    co_await peer().text(large);
  };
  EXPECT_EQ(run(client(), server()), "text(" + large + ")");

  WebSocketOptions off;
  off.deflate.enabled = false;
  const Socket plain = open(off);
  EXPECT_FALSE(plain->headers().contains("sec-websocket-extensions"));
}

TEST_P(WebSocketTest, BothSidesSendMoreThanTheConnectionHolds) {
  const Socket socket = open();
  constexpr int kCount = 40;
  const std::string large(10000, 'x');
  const auto writer = [&]() -> Task<void> {
    for (int i = 0; i < kCount; ++i) EXPECT_TRUE(co_await socket->write(MessageKind::kBinary, large));
  };
  const auto reader = [&]() -> Task<void> {
    for (int i = 0; i < kCount; ++i) EXPECT_EQ(co_await read(*socket), "binary(" + large + ")");
  };
  const auto client = [&]() -> Task<bool> {
    co_await when_all(writer(), reader());
    co_return true;
  };
  const auto echo = [&]() -> Task<void> {
    for (int i = 0; i < kCount; ++i) {
      EXPECT_EQ(co_await peer().next(), "binary(" + large + ")");
      co_await peer().binary(large);
    }
  };
  EXPECT_TRUE(run(client(), echo()));
}

MICRO_WEB_INSTANTIATE(WebSocketTest);

TEST(TargetTest, Parse) {
  const auto render = [](std::string_view url) {
    const auto target = Target::parse(url);
    if (!target) return "error: " + std::string(to_string(target.error().code()));
    return target->address.to_string() + " '" + target->host + "' " + target->path + (target->secure ? " TLS" : "");
  };
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"ws://example.com", "example.com:80 'example.com' /"},
      {"ws://example.com:8080/a/b?c=d", "example.com:8080 '' /a/b?c=d"},
      {"http://[::1]:1/x", "[::1]:1 '' /x"},
      {"ws://[::1]?q", "[::1]:80 '[::1]' /?q"},
      {"10.0.0.7:8080", "10.0.0.7:8080 '' /"},
      {"10.0.0.7:8080/x", "10.0.0.7:8080 '' /x"},
      {"unix:/run/x.sock", "unix:/run/x.sock '' /"},
      {"wss://example.com", "example.com:443 'example.com' / TLS"},
      {"https://example.com:8443/x", "example.com:8443 '' /x TLS"},
      {"ftp://example.com", "error: INVALID_ARGUMENT"},
      {"ws://user@example.com", "error: INVALID_ARGUMENT"},
      {"ws://example.com/#x", "error: INVALID_ARGUMENT"},
      {"ws:///x", "error: INVALID_ARGUMENT"},
      {"", "error: INVALID_ARGUMENT"},
  };
  for (const auto& [url, want] : rows) EXPECT_EQ(render(url), want) << url;
}

TEST(ConnectTest, OverASocket) {
  Loop loop;
  Context context;
  const auto run = [&]() -> Task<void> {
    auto listener = net::Listener::listen(loop, Address::parse("127.0.0.1:0").value(), {});
    EXPECT_TRUE(listener.has_value());
    const auto server = [&]() -> Task<void> {
      auto stream = co_await (*listener)->accept();
      FakePeer peer(std::move(*stream));
      co_await peer.accept();
      EXPECT_EQ(co_await peer.next(), "text(hello)");
      co_await peer.text("world");
      EXPECT_EQ(co_await peer.next(), "close(1000,)");
    };
    const auto client = [&]() -> Task<void> {
      const Target target{.address = (*listener)->address()};
      auto socket = co_await WebSocket::connect(context, target, WebSocketOptions());
      EXPECT_TRUE(socket.has_value()) << socket.error().to_string();
      EXPECT_TRUE(co_await (*socket)->write("hello"));
      auto message = co_await (*socket)->read();
      EXPECT_EQ((*message)->view(), "world");
      EXPECT_TRUE(co_await (*socket)->close());
    };
    co_await when_all(server(), client());
    const Target target{.address = (*listener)->address()};
    (*listener)->close();
    auto refused = co_await WebSocket::connect(context, target, WebSocketOptions());
    EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  };
  block_on(loop, run());
}

}  // namespace
}  // namespace micro::web::testing
