#include <micro/testcerts/authority.hpp>
#include <micro/tls/engine.hpp>

#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>

#include <gmock/gmock.h>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// Tells callers who they are.
std::string describe(const Context& context) {
  if (!context.secure()) return "plain";
  const PeerIdentity& identity = *context.peer_identity();
  std::string text = identity.protocol + " " + identity.application_protocol + " for " + identity.server_name;
  if (identity.verified) text += " by " + identity.subject + " " + identity.uris.at(0);
  return text;
}

class Who final : public Handler, public HttpHandler {
 public:
  std::vector<Endpoint> endpoints() override {
    Endpoint endpoint;
    endpoint.service = "test.Who";
    endpoint.method = "Am";
    endpoint.request_type = endpoint.reply_type = &codec::message_type<Text>();
    endpoint.handler = std::make_shared<UnaryMethod<Who, Text, Text>>(*this, &Who::am);
    return {endpoint};
  }
  Task<Result<http::Response>> handle(Context& context, const http::Request&, const PathParameters&) override {
    http::Response response;
    response.body = describe(context);
    co_return response;
  }

 private:
  Task<Result<Text>> am(Context& context, const Text&) {
    Text reply;
    reply.set_value(describe(context));
    co_return reply;
  }
};

// A blocking TLS client: the engine of the framework on a plain socket.
class Client {
 public:
  Client(const TestServer& server, const tls::ClientCredentials& credentials)
      : fd_(server.connect()), engine_(tls::Engine::client(credentials, "localhost")) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(fd_); }

  Result<void> handshake() {
    while (true) {
      const Result<bool> done = engine_.handshake();
      flush();
      if (!done) return fail(done.error());
      if (*done) return {};
      if (!pull()) engine_.feed_end();
    }
  }
  void send(std::string_view text) {
    EXPECT_TRUE(engine_.write(text));
    flush();
  }
  // Waits for some bytes; empty: the server has ended the connection.
  Result<std::string> receive_some() {
    char buffer[4096];
    while (true) {
      bool starved = false;
      const Result<std::size_t> count = engine_.read(buffer, starved);
      if (!count) return fail(count.error());
      if (!starved) return std::string(buffer, *count);
      if (!pull()) engine_.feed_end();
    }
  }
  // All bytes until the server ends the connection.
  Result<std::string> receive() {
    std::string all;
    while (true) {
      Result<std::string> some = receive_some();
      if (!some) return some;
      if (some->empty()) return all;
      all += *some;
    }
  }
  tls::Engine& engine() { return engine_; }
  // The beginning of a hello, and no more.
  void half_a_hello() {
    EXPECT_TRUE(engine_.handshake());
    send_all(fd_, engine_.output().front().substr(0, 20));
  }
  std::string receive_raw() { return receive_until_close(fd_); }

 private:
  void flush() {
    send_all(fd_, engine_.output().flatten());
    engine_.output().clear();
  }
  bool pull() {
    std::array<char, 4096> buffer;
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    engine_.feed({buffer.data(), static_cast<std::size_t>(got)});
    return true;
  }
  int fd_;
  tls::Engine engine_;
};

class Failures final : public TlsObserver {
 public:
  void on_failed_handshake(const std::string& peer, const Error& error) override {
    const std::lock_guard lock(mutex_);
    EXPECT_THAT(peer, StartsWith("127.0.0.1:"));
    messages_.push_back(error.message());
    changed_.notify_all();
  }
  std::string wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !messages_.empty(); });
    return messages_.front();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> messages_;
};

constexpr std::string_view kGetWho = "GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

class TlsServerTest : public testing::Test {
 protected:
  TlsServerTest() : base_(testing::TempDir() + "server-tls-" + std::to_string(getpid()) + "-") {
    write("ca.pem", authority_.certificate());
    issue("server", {.common_name = "server", .alternative_names = {"DNS:localhost"}});
    issue("client", {.common_name = "client", .alternative_names = {"URI:spiffe://acme/client"}});
    options_.tls_observer = failures_;
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(base_ + name + ".new") << text;
    std::rename((base_ + name + ".new").c_str(), (base_ + name).c_str());
  }
  void issue(const std::string& name, const testkit::CertificateOptions& options) {
    const testkit::IssuedCertificate issued = authority_.issue(options);
    write(name + ".pem", issued.certificate);
    write(name + ".key", issued.key);
  }
  tls::KeyPair pair(const std::string& name) const { return {base_ + name + ".pem", base_ + name + ".key"}; }

  std::unique_ptr<TestServer> start(tls::ServerOptions tls) {
    tls.certificates = {pair("server")};
    tls.trusted = base_ + "ca.pem";
    options_.tls = tls::ServerCredentials::load(std::move(tls)).value();
    auto server = std::make_unique<TestServer>(1, options_);
    const auto who = std::make_shared<Who>();
    EXPECT_TRUE(server->server.handle(who));
    EXPECT_TRUE(server->server.http().add("GET", "/who", who));
    server->start();
    return server;
  }
  std::shared_ptr<tls::ClientCredentials> credentials(std::vector<std::string> protocols, bool certificate = false) {
    tls::ClientOptions options{.trusted = base_ + "ca.pem", .protocols = std::move(protocols)};
    if (certificate) options.certificate = pair("client");
    return tls::ClientCredentials::load(std::move(options)).value();
  }
  std::string get_who(const TestServer& server, std::vector<std::string> protocols, bool certificate = false) {
    Client client(server, *credentials(std::move(protocols), certificate));
    const Result<void> done = client.handshake();
    if (!done) return done.error().message();
    client.send(kGetWho);
    const Result<std::string> answer = client.receive();
    if (!answer) return answer.error().message();
    return answer->substr(answer->find("\r\n\r\n") + 4);
  }

  testkit::Authority authority_;
  std::string base_;
  ServerOptions options_ = TestServer::default_options();
  std::shared_ptr<Failures> failures_ = std::make_shared<Failures>();
};

TEST_F(TlsServerTest, PlainAndSecureConnectionsShareThePort) {
  const auto server = start({});
  EXPECT_THAT(http1(*server, kGetWho), HasSubstr("\r\n\r\nplain"));
  EXPECT_EQ(get_who(*server, {"http/1.1"}), "TLSv1.3 http/1.1 for localhost");
  EXPECT_EQ(get_who(*server, {}), "TLSv1.3  for localhost");
  Http2Client plain(*server);
  EXPECT_THAT(plain.call("/test.Who/Am", "").messages, ElementsAre("plain"));
  EXPECT_EQ(server->server.counters().tls_handshakes, 2U);
  EXPECT_EQ(server->server.counters().failed_tls_handshakes, 0U);
}

// One call over HTTP/2 in TLS.
std::string call_who(Client& client) {
  struct Events final : http2::Events {
    std::string body;
    bool closed = false;
    void on_headers(http2::Stream&, const http2::HeaderBlock&, bool) override {}
    void on_trailers(http2::Stream&, const http2::HeaderBlock&) override {}
    void on_data(http2::Stream&, std::string_view data, bool) override { body += data; }
    void on_reset(http2::Stream&, http2::ErrorCode, bool) override {}
    void on_close(http2::Stream&) override { closed = true; }
  } events;
  http2::Session session(http2::Role::kClient, {}, events);
  const std::vector<http2::Field> head{{":method", "POST"},    {":scheme", "https"}, {":path", "/test.Who/Am"},
                                       {":authority", "test"}, {"te", "trailers"},   {"content-type", "application/grpc"}};
  http2::Stream* stream = session.open(head, false);
  session.submit_data(*stream, std::string_view("\0\0\0\0\0", 5), true);
  while (!events.closed) {
    if (!session.output().empty()) client.send(session.output().flatten());
    session.output().clear();
    const Result<std::string> some = client.receive_some();
    if (!some || some->empty()) return some ? "closed" : some.error().message();
    EXPECT_TRUE(session.feed(*some, TimePoint{}));
  }
  Text reply;
  EXPECT_TRUE(reply.ParseFromString(events.body.substr(5)));
  return reply.value();
}

TEST_F(TlsServerTest, AlpnDecidesTheProtocol) {
  const auto server = start({});
  Client client(*server, *credentials({"h2"}));
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(call_who(client), "TLSv1.3 h2 for localhost");
  Client both(*server, *credentials({"http/1.1", "h2"}));
  ASSERT_TRUE(both.handshake());
  EXPECT_EQ(both.engine().application_protocol(), "h2") << "the server prefers it";
  Client old(*server, *credentials({"h2"}));
  ASSERT_TRUE(old.handshake());
  old.send(kGetWho);
  EXPECT_THAT(old.receive().value_or(""), testing::Not(HasSubstr("HTTP/1.1"))) << "what was agreed on holds";
}

TEST_F(TlsServerTest, WithoutAlpnTheFirstBytesDecide) {
  const auto server = start({});
  Client client(*server, *credentials({}));
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(call_who(client), "TLSv1.3  for localhost");
}

TEST_F(TlsServerTest, HandlersSeeWhoCalls) {
  const auto server = start({.certificates = {}, .client_auth = tls::ClientAuth::kRequest});
  EXPECT_EQ(get_who(*server, {"http/1.1"}, true), "TLSv1.3 http/1.1 for localhost by CN=client spiffe://acme/client");
  EXPECT_EQ(get_who(*server, {"http/1.1"}, false), "TLSv1.3 http/1.1 for localhost");
  Client client(*server, *credentials({"h2"}, true));
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(call_who(client), "TLSv1.3 h2 for localhost by CN=client spiffe://acme/client");
}

TEST_F(TlsServerTest, AClientWithoutTheCertificateItNeedsIsTold) {
  const auto server = start({.certificates = {}, .client_auth = tls::ClientAuth::kRequire});
  EXPECT_THAT(get_who(*server, {"http/1.1"}), HasSubstr("it takes only clients with a certificate"));
  EXPECT_THAT(failures_->wait(), HasSubstr("the client has shown no certificate"));
  EXPECT_EQ(server->server.counters().failed_tls_handshakes, 1U);
  EXPECT_THAT(get_who(*server, {"http/1.1"}, true), HasSubstr("by CN=client"));
}

TEST_F(TlsServerTest, APlainConnectionDoesNotGetAroundTheCertificate) {
  const auto server = start({.certificates = {}, .client_auth = tls::ClientAuth::kRequire});
  EXPECT_THAT(http1(*server, kGetWho), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("TLS_REQUIRED")));
}

TEST_F(TlsServerTest, PlainConnectionsCanBeRefused) {
  options_.require_tls = true;
  const auto server = start({});
  const std::string answer = http1(*server, kGetWho);
  EXPECT_THAT(answer,
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("TLS_REQUIRED"), HasSubstr("this port takes TLS connections only")));
  EXPECT_THAT(http1(*server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HasSubstr("this port takes TLS connections only"));
  EXPECT_EQ(server->server.counters().refused_plain, 2U);
  EXPECT_EQ(server->server.counters().malformed, 0U);
  EXPECT_EQ(get_who(*server, {"http/1.1"}), "TLSv1.3 http/1.1 for localhost");
  EXPECT_EQ(get_who(*server, {}), "TLSv1.3  for localhost");
}

TEST_F(TlsServerTest, GarbageBehindTheFirstByteIsAnswered) {
  const auto server = start({});
  for (const std::string_view garbage :
       {std::string_view("\x16garbage that is no hello at all"), std::string_view("\x16\x03\x01\x00\x01\x01", 6)}) {
    const int fd = server->connect();
    send_all(fd, garbage);
    ::shutdown(fd, SHUT_WR);
    (void)receive_until_close(fd);
    ::close(fd);
    EXPECT_THAT(failures_->wait(), testing::Not(IsEmpty()));
  }
  EXPECT_EQ(get_who(*server, {}), "TLSv1.3  for localhost") << "others are served on";
}

TEST_F(TlsServerTest, TlsWithinTlsIsNothing) {
  const auto server = start({});
  Client client(*server, *credentials({}));
  ASSERT_TRUE(client.handshake());
  client.send("\x16\x03\x01 a hello in a hello\r\n\r\n");
  EXPECT_THAT(client.receive().value(), StartsWith("HTTP/1.1 400"));
}

TEST_F(TlsServerTest, AHandshakeThatDoesNotEndIsEnded) {
  options_.tls_handshake_timeout = std::chrono::milliseconds(20);
  const auto server = start({});
  Client client(*server, *credentials({}));
  client.half_a_hello();
  EXPECT_EQ(client.receive_raw(), "");
  EXPECT_THAT(failures_->wait(), HasSubstr("within the time allowed"));
}

TEST_F(TlsServerTest, StopsInTheMiddleOfAHandshake) {
  options_.tls_handshake_timeout = Duration{};
  const auto server = start({});
  Client client(*server, *credentials({}));
  client.half_a_hello();
  while (server->server.counters().open_connections == 0) std::this_thread::yield();
  EXPECT_EQ(server->stop(std::chrono::milliseconds(10)), 0U);
}

TEST_F(TlsServerTest, NewCertificatesAreForNewConnections) {
  const auto server = start({});
  Client old(*server, *credentials({"h2"}));
  ASSERT_TRUE(old.handshake());
  issue("server", {.common_name = "renewed", .alternative_names = {"DNS:localhost"}});
  ASSERT_TRUE(options_.tls->reload().value());
  Client fresh(*server, *credentials({"h2"}));
  ASSERT_TRUE(fresh.handshake());
  EXPECT_EQ(fresh.engine().identity()->subject, "CN=renewed");
  EXPECT_EQ(call_who(old), "TLSv1.3 h2 for localhost");
  EXPECT_EQ(call_who(fresh), "TLSv1.3 h2 for localhost");
}

TEST_F(TlsServerTest, LargeAnswersPass) {
  const auto server = start({});
  Client client(*server, *credentials({"http/1.1"}));
  ASSERT_TRUE(client.handshake());
  const std::string text(3'000'000, 'x');
  client.send("POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
              std::to_string(text.size() + 2) + "\r\n\r\n\"" + text + "\"");
  const std::string answer = client.receive().value();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_GT(answer.size(), text.size());
}

}  // namespace
}  // namespace micro::rpc::test
