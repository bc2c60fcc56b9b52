// wss:// and https://, over sockets.
#include <unistd.h>

#include <fstream>

#include <micro/testcerts/authority.hpp>
#include <micro/tls/stream.hpp>
#include <micro/web_client/calls.hpp>
#include <micro/web_client/event_stream.hpp>
#include <micro/web_client/websocket.hpp>

#include "fake_peer.hpp"

namespace micro::web::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kEvents = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

class SecureTest : public ::testing::Test {
 protected:
  SecureTest() : base_(::testing::TempDir() + "web-client-" + std::to_string(getpid()) + "-") {
    const testkit::IssuedCertificate issued = authority_.issue({.common_name = "server", .alternative_names = {"DNS:localhost"}});
    tls::ServerOptions options;
    options.certificates = {{write("server.pem", issued.certificate), write("server.key", issued.key)}};
    server_ = tls::ServerCredentials::load(std::move(options)).value();
    listener_ = net::Listener::listen(loop_, Address::parse("127.0.0.1:0").value(), {}).value();
    target_ = Target::parse("wss://localhost:" + std::to_string(listener_->address().port) + "/base").value();
    trusted_ = trusting(authority_);
  }
  ~SecureTest() override {
    listener_->close();
    while (loop_.run_once(Duration::zero())) {
    }
  }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(base_ + name) << text;
    return base_ + name;
  }
  std::shared_ptr<tls::ClientCredentials> trusting(testkit::Authority& authority) {
    return tls::ClientCredentials::load({.trusted = write("ca.pem", authority.certificate())}).value();
  }

  // The next connection, the handshake done; null when it failed.
  Task<std::unique_ptr<FakePeer>> accept() {
    auto plain = co_await listener_->accept();
    auto secured = tls::Stream::server(std::move(*plain), *server_);
    const Result<void> shaken = co_await secured->handshake();
    if (!shaken) co_await secured->linger();
    if (!shaken) co_return nullptr;
    agreed_ = secured->application_protocol();
    co_return std::make_unique<FakePeer>(std::move(secured));
  }
  Task<void> refused() { EXPECT_EQ(co_await accept(), nullptr); }

  template <class T>
  T run(Task<T> client, Task<void> server) {
    return block_on(loop_, both(std::move(client), std::move(server)));
  }
  template <class T>
  static Task<T> both(Task<T> client, Task<void> server) {
    auto results = co_await when_all(std::move(client), std::move(server));
    co_return std::move(std::get<0>(results));
  }

  // Why a WebSocket was not opened.
  Task<Error> failure(WebSocketOptions options) {
    const auto socket = co_await WebSocket::connect(context_, target_, std::move(options));
    co_return socket ? internal("it was opened") : socket.error();
  }

  testkit::Authority authority_;
  std::string base_;
  std::shared_ptr<tls::ServerCredentials> server_;
  std::shared_ptr<tls::ClientCredentials> trusted_;
  Loop loop_;
  Context context_;
  std::unique_ptr<net::Listener> listener_;
  Target target_;
  std::string agreed_;
};

TEST_F(SecureTest, AWebSocket) {
  const auto server = [&]() -> Task<void> {
    const auto peer = co_await accept();
    co_await peer->accept();
    EXPECT_EQ(peer->head().target, "/base");
    EXPECT_EQ(co_await peer->next(), "text(hello)");
    co_await peer->text("world");
    EXPECT_EQ(co_await peer->next(), "close(1000,)");
  };
  const auto client = [&]() -> Task<bool> {
    WebSocketOptions options;
    options.tls = trusted_;
    auto socket = co_await WebSocket::connect(context_, target_, std::move(options));
    EXPECT_TRUE(socket.has_value()) << socket.error().to_string();
    if (!socket) co_return false;
    EXPECT_TRUE(co_await (*socket)->write("hello"));
    const auto message = co_await (*socket)->read();
    EXPECT_EQ((*message)->view(), "world");
    EXPECT_TRUE(co_await (*socket)->close());
    co_return true;
  };
  EXPECT_TRUE(run(client(), server()));
  EXPECT_EQ(agreed_, "http/1.1") << "although the credentials offer h2";
  ASSERT_TRUE(context_.secure());
  EXPECT_EQ(context_.peer_identity()->subject, "CN=server");
}

TEST_F(SecureTest, AnEventStreamAndItsReconnection) {
  std::vector<std::string> ids;
  const auto server = [&]() -> Task<void> {
    for (const std::string_view id : {"1", "2"}) {
      const auto peer = co_await accept();
      (void)co_await peer->request();
      ids.emplace_back(peer->head().headers.get("last-event-id"));
      std::string answer(kEvents);
      answer.append("retry: 1\nid: ").append(id).append("\ndata: tick\n\n");
      co_await peer->send(answer);
    }
  };
  const auto client = [&]() -> Task<int> {
    EventStreamOptions options;
    options.tls = trusted_;
    EventStream stream(context_, target_, std::move(options));
    EventStream::Event event;
    int events = 0;
    for (; events < 2; ++events) {
      const Result<bool> more = co_await stream.read(event);
      EXPECT_TRUE(more && *more);
      if (!more || !*more) break;
    }
    EXPECT_EQ(event.id, "2");
    co_return events;
  };
  EXPECT_EQ(run(client(), server()), 2);
  EXPECT_THAT(ids, ::testing::ElementsAre("", "1"));
}

TEST_F(SecureTest, CallsOverBoth) {
  Method method{.target = target_, .service = "clock.Clock", .method = "Tick", .kind = rpc::MethodKind::kServerStream};
  CallOptions options;
  options.tls = trusted_;
  std::string question = "{}";
  std::string answer;
  const auto server = [&]() -> Task<void> {
    const auto events = co_await accept();
    (void)co_await events->request();
    EXPECT_EQ(events->head().target, "/base/clock.Clock/Tick");
    co_await events->send(std::string(kEvents) + "data: {}\n\n");
    const auto socket = co_await accept();
    websocket::AcceptOptions accepted;
    accepted.subprotocols = {"micro.json"};
    co_await socket->accept(accepted);
    EXPECT_EQ(co_await socket->next(), "text({})");
    co_await socket->text("[]");
    EXPECT_EQ(co_await socket->next(), "close(1001,)");
  };
  const auto client = [&]() -> Task<bool> {
    {
      auto stream = co_await open_events(context_, method, codec::ref(question), options);
      EXPECT_TRUE(stream.has_value()) << stream.error().to_string();
      EXPECT_TRUE(co_await (*stream)->read(codec::ref(answer)));
      EXPECT_EQ(answer, "{}");
    }
    auto stream = co_await open_websocket(context_, method, codec::ref(question), options);
    EXPECT_TRUE(stream.has_value()) << stream.error().to_string();
    EXPECT_TRUE(co_await (*stream)->read(codec::ref(answer)));
    EXPECT_EQ(answer, "[]");
    co_return true;
  };
  EXPECT_TRUE(run(client(), server()));
}

TEST_F(SecureTest, AnotherAuthority) {
  testkit::Authority other;
  WebSocketOptions options;
  options.tls = trusting(other);
  const Error error = run(failure(options), refused());
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.reason(), "TLS_CERTIFICATE");
  EXPECT_THAT(error.message(), HasSubstr("connect to localhost:"));
}

TEST_F(SecureTest, TheSystemsAuthoritiesUnlessToldOtherwise) {
  EXPECT_EQ(run(failure({}), refused()).reason(), "TLS_CERTIFICATE");
}

TEST_F(SecureTest, AnotherName) {
  target_.address.host = "127.0.0.1";
  WebSocketOptions options;
  options.tls = trusted_;
  const Error error = run(failure(options), refused());
  EXPECT_EQ(error.reason(), "TLS_CERTIFICATE");
  EXPECT_THAT(error.message(), AllOf(HasSubstr("127.0.0.1"), HasSubstr("localhost")));
}

TEST_F(SecureTest, AServerWithoutTls) {
  const auto server = [&]() -> Task<void> {
    FakePeer peer(std::move(*co_await listener_->accept()));
    co_await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  };
  WebSocketOptions options;
  options.tls = trusted_;
  const Error error = run(failure(options), server());
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.reason(), HasSubstr("TLS_"));
}

TEST_F(SecureTest, AServerThatSaysNothing) {
  const auto client = [&]() -> Task<std::vector<Error>> {
    WebSocketOptions options;
    options.tls = trusted_;
    options.open_timeout = std::chrono::milliseconds(20);
    std::vector<Error> errors;
    errors.push_back(co_await failure(options));
    options.open_timeout = {};
    context_.set_timeout(std::chrono::milliseconds(20));
    errors.push_back(co_await failure(options));
    co_return errors;
  };
  const std::vector<Error> errors = block_on(loop_, client());
  EXPECT_EQ(errors.at(0).code(), Code::kUnavailable);
  EXPECT_THAT(errors.at(0).message(), HasSubstr("no answer within 20ms"));
  EXPECT_EQ(errors.at(1).code(), Code::kDeadlineExceeded);
}

TEST_F(SecureTest, ACallerWhoGivesUp) {
  const auto server = [&]() -> Task<void> {
    const auto silent = co_await listener_->accept();
    context_.cancel(cancelled("enough"));
    std::array<char, 4096> hello;
    while (true) {
      const auto count = co_await (*silent)->read_some(hello);
      if (!count || *count == 0) co_return;
    }
  };
  WebSocketOptions options;
  options.tls = trusted_;
  EXPECT_EQ(run(failure(options), server()).code(), Code::kCancelled);
}

}  // namespace
}  // namespace micro::web::testing
