#include <micro/tls/engine.hpp>

#include <algorithm>
#include <vector>

#include <openssl/ssl.h>

#include "snapshot.hpp"
#include "test_support.hpp"

namespace micro::tls {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Moves what one engine has to say to the other, `step` bytes at a time, and goes on with the handshake of that one.
bool deliver(Engine& from, Engine& to, Result<bool>& state, std::size_t step) {
  bool moved = false;
  while (!from.output().empty()) {
    const std::string_view front = from.output().front();
    const std::size_t count = std::min(step, front.size());
    to.feed(front.substr(0, count));
    from.output().consume(count);
    moved = true;
    if (state && !*state) state = to.handshake();
  }
  return moved;
}

struct Outcome {
  Result<bool> server = false;
  Result<bool> client = false;
  bool both() const { return server && *server && client && *client; }
};

Outcome shake(Engine& server, Engine& client, std::size_t step = 1'000'000) {
  Outcome outcome;
  outcome.client = client.handshake();
  while (deliver(client, server, outcome.server, step) || deliver(server, client, outcome.client, step)) {
  }
  return outcome;
}

// All plaintext that is there.
Result<std::string> drain(Engine& engine, bool* ended = nullptr) {
  std::string all;
  char buffer[1000];
  while (true) {
    bool starved = false;
    const Result<std::size_t> count = engine.read(buffer, starved);
    if (!count) return fail(count.error());
    if (*count == 0) {
      if (ended != nullptr) *ended = !starved;
      return all;
    }
    all.append(buffer, *count);
  }
}

void move_bytes(Engine& from, Engine& to) {
  to.feed(from.output().flatten());
  from.output().clear();
}

class EngineTest : public testing::Test {
 protected:
  Files files_;
  ServerOptions server_options_{.certificates = {files_.server()}};
  ClientOptions client_options_{.trusted = files_.trusted()};
};

class EngineSplitTest : public EngineTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(EngineSplitTest, BytesMayComeInAnyPieces) {
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  Engine server = Engine::server(*server_credentials);
  Engine client = Engine::client(*client_credentials, "localhost");
  const Outcome outcome = shake(server, client, GetParam());
  ASSERT_TRUE(outcome.both());
  EXPECT_EQ(server.application_protocol(), "h2");
  EXPECT_EQ(client.application_protocol(), "h2");
  EXPECT_EQ(client.identity()->protocol, "TLSv1.3");
  EXPECT_EQ(server.identity()->server_name, "localhost");

  std::string text(50'000, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 3);
  ASSERT_TRUE(client.write(text));
  std::string received;
  while (!client.output().empty()) {
    const std::string_view front = client.output().front();
    const std::size_t count = std::min(GetParam(), front.size());
    server.feed(front.substr(0, count));
    client.output().consume(count);
    Result<std::string> some = drain(server);
    ASSERT_TRUE(some) << some.error().message();
    received += *some;
  }
  EXPECT_EQ(received, text);
  client.close();
  move_bytes(client, server);
  bool ended = false;
  EXPECT_EQ(drain(server, &ended).value(), "");
  EXPECT_TRUE(ended);
  // Our side goes on after the peer's has ended.
  ASSERT_TRUE(server.write("the answer"));
  move_bytes(server, client);
  EXPECT_EQ(drain(client).value(), "the answer");
}

INSTANTIATE_TEST_SUITE_P(Steps, EngineSplitTest, testing::Values(1, 3, 100, 1'000'000));

TEST_F(EngineTest, ARecordHoldsSixteenKibibytes) {
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  Engine server = Engine::server(*server_credentials);
  Engine client = Engine::client(*client_credentials, "localhost");
  ASSERT_TRUE(shake(server, client).both());
  ASSERT_TRUE(client.write(std::string(16 * 1024, 'a')));
  EXPECT_LT(client.output().size(), 16u * 1024 + 64) << "one record";
}

TEST_F(EngineTest, TellsWhoThePeerIs) {
  const testkit::IssuedCertificate issued =
      files_.authority.issue({.common_name = "billing",
                              .alternative_names = {"DNS:billing.acme", "URI:spiffe://acme/billing", "IP:10.0.0.7", "IP:::1",
                                                    "email:ops@acme.example"}});
  client_options_.certificate = files_.store("billing", issued);
  server_options_.client_auth = ClientAuth::kRequire;
  server_options_.trusted = files_.trusted();
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  Engine server = Engine::server(*server_credentials);
  Engine client = Engine::client(*client_credentials, "127.0.0.1");
  ASSERT_TRUE(shake(server, client).both());
  const PeerIdentity& identity = *server.identity();
  EXPECT_TRUE(identity.verified);
  EXPECT_EQ(identity.subject, "CN=billing");
  EXPECT_EQ(identity.issuer, "CN=Test Authority");
  EXPECT_EQ(identity.fingerprint, issued.fingerprint);
  EXPECT_THAT(identity.dns_names, ElementsAre("billing.acme"));
  EXPECT_THAT(identity.uris, ElementsAre("spiffe://acme/billing"));
  EXPECT_THAT(identity.ip_addresses, ElementsAre("10.0.0.7", "::1"));
  EXPECT_THAT(identity.emails, ElementsAre("ops@acme.example"));
  EXPECT_EQ(identity.server_name, "") << "an address is no server name";
  EXPECT_TRUE(client.identity()->verified);
  EXPECT_EQ(client.identity()->subject, "CN=server");
}

TEST_F(EngineTest, AClientWithoutCertificateHasNone) {
  server_options_.client_auth = ClientAuth::kRequest;
  server_options_.trusted = files_.trusted();
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  Engine server = Engine::server(*server_credentials);
  Engine client = Engine::client(*client_credentials, "localhost");
  ASSERT_TRUE(shake(server, client).both());
  EXPECT_FALSE(server.identity()->verified);
  EXPECT_FALSE(server.identity()->has_certificate());
}

// One handshake that fails: what each side says about it.
struct Failure {
  std::string server;
  std::string client;
  std::string server_reason;
  std::string client_reason;
};

Failure failure_of(const ServerOptions& server_options, const ClientOptions& client_options,
                   std::string_view host = "localhost") {
  const auto server_credentials = load(server_options);
  const auto client_credentials = load(client_options);
  Engine server = Engine::server(*server_credentials);
  Engine client = Engine::client(*client_credentials, host);
  const Outcome outcome = shake(server, client);
  Failure failure;
  // With TLS 1.3 a client has finished before the server looks at its certificate: it hears of that when it reads.
  const Result<std::string> read = outcome.client && *outcome.client ? drain(client) : Result<std::string>();
  const auto note = [](const Error& error, std::string& message, std::string& reason) {
    message = error.message();
    reason = error.reason();
    EXPECT_EQ(error.code(), Code::kUnavailable);
  };
  if (!outcome.server) note(outcome.server.error(), failure.server, failure.server_reason);
  if (!outcome.client) note(outcome.client.error(), failure.client, failure.client_reason);
  if (!read) note(read.error(), failure.client, failure.client_reason);
  return failure;
}

TEST_F(EngineTest, AnUnknownAuthority) {
  const Files others("Other Authority");
  client_options_.trusted = others.trusted();
  const Failure failure = failure_of(server_options_, client_options_);
  EXPECT_THAT(failure.client,
              AllOf(HasSubstr("the server's certificate (CN=server) is signed by CN=Test Authority, which is not trusted"),
                    HasSubstr("tls_ca")));
  EXPECT_EQ(failure.client_reason, "TLS_CERTIFICATE");
  EXPECT_THAT(failure.server, HasSubstr("the client ended it: it does not trust the authority that signed our certificate"));
  EXPECT_EQ(failure.server_reason, "TLS_CERTIFICATE");
}

TEST_F(EngineTest, AnotherAuthorityOfTheSameName) {
  const Files others;
  client_options_.trusted = others.trusted();
  EXPECT_THAT(failure_of(server_options_, client_options_).client, HasSubstr("CN=Test Authority"));
}

TEST_F(EngineTest, AnotherName) {
  const Failure failure = failure_of(server_options_, client_options_, "example.org");
  EXPECT_THAT(failure.client,
              AllOf(HasSubstr("is for localhost, 127.0.0.1 and not for example.org"), HasSubstr("tls_server_name")));
  EXPECT_THAT(failure_of(server_options_, client_options_, "10.0.0.1").client, HasSubstr("not for 10.0.0.1"));
  EXPECT_EQ(failure_of(server_options_, client_options_, "localhost.").client, "") << "a final dot changes nothing";
  client_options_.server_name = "localhost";
  EXPECT_EQ(failure_of(server_options_, client_options_, "example.org").client, "");
}

TEST_F(EngineTest, NoNameIsNoWayAroundTheCheck) {
  server_options_.certificates = {files_.issue("other", {.alternative_names = {"DNS:example.org"}})};
  for (const char* host : {"", "."}) {
    EXPECT_THAT(failure_of(server_options_, client_options_, host).client, HasSubstr("not for localhost")) << host;
  }
}

TEST_F(EngineTest, TheCommonNameIsNoName) {
  server_options_.certificates = {files_.issue("plain", {.common_name = "localhost"})};
  EXPECT_THAT(failure_of(server_options_, client_options_).client, HasSubstr("and not for localhost"));
}

TEST_F(EngineTest, AnExpiredCertificate) {
  const KeyPair old = files_.issue("old", {.alternative_names = {"DNS:localhost"}, .valid_from = -7200, .valid_until = -3600});
  const Result<std::shared_ptr<ServerCredentials>> expired = ServerCredentials::load({.certificates = {old}});
  ASSERT_FALSE(expired);
  EXPECT_THAT(expired.error().message(), AllOf(HasSubstr("old.pem (CN=test) expired on 20"), HasSubstr("renew it")));
  EXPECT_EQ(expired.error().reason(), "TLS_FILES");
  // One that expires while it is in use.
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  SSL_CTX* const context = server_credentials->snapshot()->contexts[0].get();
  ASSERT_EQ(SSL_CTX_use_certificate_file(context, old.certificate.c_str(), SSL_FILETYPE_PEM), 1);
  ASSERT_EQ(SSL_CTX_use_PrivateKey_file(context, old.key.c_str(), SSL_FILETYPE_PEM), 1);
  Engine server = Engine::server(*server_credentials);
  Engine client = Engine::client(*client_credentials, "localhost");
  const Outcome outcome = shake(server, client);
  ASSERT_FALSE(outcome.client);
  EXPECT_THAT(outcome.client.error().message(), HasSubstr("the server's certificate (CN=test) expired on 20"));
  EXPECT_THAT(outcome.server.error().message(), HasSubstr("our certificate has expired"));
}

TEST_F(EngineTest, ACertificateOfTheFuture) {
  server_options_.certificates = {
      files_.issue("early", {.alternative_names = {"DNS:localhost"}, .valid_from = 3600, .valid_until = 7200})};
  EXPECT_THAT(failure_of(server_options_, client_options_).client, HasSubstr("(CN=test) is not valid before 20"));
}

TEST_F(EngineTest, ACertificateForSomethingElse) {
  server_options_.certificates = {files_.issue("mail", {.alternative_names = {"DNS:localhost"}, .usage = "emailProtection"})};
  EXPECT_THAT(failure_of(server_options_, client_options_).client, HasSubstr("may not be used for this"));
}

TEST_F(EngineTest, AClientWithoutTheCertificateItNeeds) {
  server_options_.client_auth = ClientAuth::kRequire;
  server_options_.trusted = files_.trusted();
  const Failure failure = failure_of(server_options_, client_options_);
  EXPECT_THAT(failure.server, HasSubstr("the client has shown no certificate"));
  EXPECT_THAT(failure.client, AllOf(HasSubstr("it takes only clients with a certificate"), HasSubstr("tls_cert")));
  EXPECT_EQ(failure.client_reason, "TLS_CERTIFICATE");
}

TEST_F(EngineTest, AClientOfAnotherAuthority) {
  const Files others("Other Authority");
  client_options_.certificate = others.client();
  server_options_.trusted = files_.trusted();
  for (const ClientAuth auth : {ClientAuth::kRequest, ClientAuth::kRequire}) {
    server_options_.client_auth = auth;
    const Failure failure = failure_of(server_options_, client_options_);
    EXPECT_THAT(failure.server,
                HasSubstr("the client's certificate (CN=client) is signed by CN=Other Authority, which is not trusted"));
    EXPECT_THAT(failure.client, HasSubstr("the server ended it: it does not trust the authority that signed our certificate"));
  }
}

TEST_F(EngineTest, NoApplicationProtocolInCommon) {
  client_options_.protocols = {"smtp"};
  const Failure failure = failure_of(server_options_, client_options_);
  EXPECT_THAT(failure.server, HasSubstr("(ALPN)"));
  EXPECT_THAT(failure.client, HasSubstr("it speaks none of the application protocols we offer (ALPN)"));
  EXPECT_EQ(failure.client_reason, "TLS_HANDSHAKE");
}

TEST_F(EngineTest, VerificationCanBeLeftOut) {
  const Files others("Other Authority");
  client_options_.trusted = others.trusted();
  client_options_.insecure_skip_verify = true;
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  Engine server = Engine::server(*server_credentials);
  Engine client = Engine::client(*client_credentials, "whatever");
  ASSERT_TRUE(shake(server, client).both());
  EXPECT_FALSE(client.identity()->verified);
  EXPECT_EQ(client.identity()->subject, "CN=server");
}

TEST_F(EngineTest, AChainOfAuthorities) {
  const testkit::Authority between = files_.authority.intermediate("Department");
  const testkit::IssuedCertificate issued = between.issue({.common_name = "deep", .alternative_names = {"DNS:localhost"}});
  server_options_.certificates = {files_.store("deep", issued)};
  EXPECT_EQ(failure_of(server_options_, client_options_).client, "");
  // Whoever forgets the authorities between, is told.
  write_file(files_.path("deep.pem"), issued.certificate);
  EXPECT_THAT(failure_of(server_options_, client_options_).client, HasSubstr("is signed by CN=Department, which is not trusted"));
  // To trust the department is enough.
  write_file(files_.trusted(), between.certificate());
  EXPECT_EQ(failure_of(server_options_, client_options_).client, "");
}

TEST_F(EngineTest, CertificatesByServerName) {
  server_options_.certificates = {files_.server("default"),
                                  files_.issue("shop", {.common_name = "shop", .alternative_names = {"DNS:shop.example"}}),
                                  files_.issue("wild", {.common_name = "wild", .alternative_names = {"DNS:*.example"}})};
  client_options_.insecure_skip_verify = true;
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  const struct {
    const char* host;
    const char* subject;
  } cases[] = {{"shop.example", "CN=shop"},   {"SHOP.Example", "CN=shop"}, {"blog.example", "CN=wild"},
               {"a.b.example", "CN=default"}, {"example", "CN=default"},   {"localhost", "CN=default"},
               {"127.0.0.1", "CN=default"}};
  for (const auto& each : cases) {
    Engine server = Engine::server(*server_credentials);
    Engine client = Engine::client(*client_credentials, each.host);
    ASSERT_TRUE(shake(server, client).both()) << each.host;
    EXPECT_EQ(client.identity()->subject, each.subject) << each.host;
    EXPECT_EQ(client.application_protocol(), "h2") << each.host;
  }
}

TEST_F(EngineTest, SessionsAreTakenUpAgain) {
  client_options_.certificate = files_.client();
  server_options_.client_auth = ClientAuth::kRequire;
  server_options_.trusted = files_.trusted();
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  const auto connect = [&](std::string_view host, std::string_view address) {
    Engine server = Engine::server(*server_credentials);
    Engine client = Engine::client(*client_credentials, host, address);
    EXPECT_TRUE(shake(server, client).both());
    EXPECT_TRUE(drain(client)) << "brings the tickets";
    EXPECT_EQ(server.identity()->subject, "CN=client") << "also the second time";
    EXPECT_TRUE(server.identity()->verified);
    EXPECT_TRUE(client.identity()->verified);
    EXPECT_EQ(client.application_protocol(), "h2");
    EXPECT_EQ(server.resumed(), client.resumed());
    return client.resumed();
  };
  EXPECT_FALSE(connect("localhost", "a"));
  EXPECT_TRUE(connect("localhost", "a"));
  EXPECT_FALSE(connect("localhost", "b")) << "another server";
  EXPECT_FALSE(connect("127.0.0.1", "a")) << "another name";
  // New certificates end the old sessions.
  files_.server();
  ASSERT_TRUE(server_credentials->reload().value());
  EXPECT_FALSE(connect("localhost", "a"));
}

TEST_F(EngineTest, GarbageIsNoHandshake) {
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("\x16\x03\x01\xff\xff", 5) + std::string(300, 'x'),
        std::string("\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9), std::string(1000, '\0'), std::string(1000, '\x16')}) {
    for (const bool one_by_one : {false, true}) {
      Engine server = Engine::server(*server_credentials);
      Engine client = Engine::client(*client_credentials, "localhost");
      ASSERT_TRUE(client.handshake());
      for (Engine* engine : {&server, &client}) {
        Result<bool> state = false;
        for (std::size_t at = 0; at < garbage.size() && state; at += one_by_one ? 1 : garbage.size()) {
          engine->feed(one_by_one ? std::string_view(garbage).substr(at, 1) : garbage);
          state = engine->handshake();
        }
        ASSERT_FALSE(state);
        EXPECT_EQ(state.error().reason(), "TLS_HANDSHAKE") << state.error().message();
        EXPECT_FALSE(engine->handshake()) << "stays failed";
      }
    }
  }
}

TEST_F(EngineTest, AConnectionThatIsCutIsNoEnd) {
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  Engine server = Engine::server(*server_credentials);
  Engine client = Engine::client(*client_credentials, "localhost");
  ASSERT_TRUE(client.handshake());
  client.feed_end();
  const Result<bool> halfway = client.handshake();
  ASSERT_FALSE(halfway);
  EXPECT_THAT(halfway.error().message(), HasSubstr("the server closed the connection in the middle of the TLS handshake"));

  Engine second = Engine::client(*client_credentials, "localhost");
  ASSERT_TRUE(shake(server, second).both());
  ASSERT_TRUE(second.write("half of the"));
  move_bytes(second, server);
  server.feed_end();
  char buffer[100];
  bool starved = false;
  EXPECT_EQ(server.read(buffer, starved).value(), 11u) << "what came is given first";
  const Result<std::size_t> end = server.read(buffer, starved);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().reason(), "TLS_BROKEN");
  EXPECT_THAT(end.error().message(), HasSubstr("without the farewell"));
}

TEST_F(EngineTest, ChangedBytesAreNoticed) {
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  Engine server = Engine::server(*server_credentials);
  Engine client = Engine::client(*client_credentials, "localhost");
  ASSERT_TRUE(shake(server, client).both());
  ASSERT_TRUE(client.write("pay 10"));
  std::string record(client.output().flatten());
  record.back() ^= 1;
  server.feed(record);
  const Result<std::string> read = drain(server);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason(), "TLS_BROKEN");
  EXPECT_FALSE(server.output().empty()) << "the peer is told by an alert";
  EXPECT_FALSE(server.write("more"));
  move_bytes(server, client);
  const Result<std::string> told = drain(client);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().reason(), "TLS_BROKEN") << told.error().message();
}

TEST_F(EngineTest, NothingOlderThanTls12) {
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  for (SSL_CTX* context :
       {server_credentials->snapshot()->contexts[0].get(), client_credentials->snapshot()->contexts[0].get()}) {
    EXPECT_EQ(SSL_CTX_get_min_proto_version(context), TLS1_2_VERSION);
    EXPECT_NE(SSL_CTX_get_options(context) & SSL_OP_NO_RENEGOTIATION, 0u);
    const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
      EXPECT_EQ(SSL_CIPHER_is_aead(sk_SSL_CIPHER_value(ciphers, i)), 1) << SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i));
    }
  }
}

TEST_F(EngineTest, Tls12Works) {
  server_options_.client_auth = ClientAuth::kRequire;
  server_options_.trusted = files_.trusted();
  client_options_.certificate = files_.client();
  const auto server_credentials = load(server_options_);
  const auto client_credentials = load(client_options_);
  SSL_CTX_set_max_proto_version(client_credentials->snapshot()->contexts[0].get(), TLS1_2_VERSION);
  for (const bool again : {false, true}) {
    Engine server = Engine::server(*server_credentials);
    Engine client = Engine::client(*client_credentials, "localhost");
    ASSERT_TRUE(shake(server, client, 1).both());
    EXPECT_EQ(server.identity()->protocol, "TLSv1.2");
    EXPECT_EQ(server.identity()->subject, "CN=client");
    EXPECT_EQ(client.resumed(), again);
    ASSERT_TRUE(server.write("hello"));
    move_bytes(server, client);
    EXPECT_EQ(drain(client).value(), "hello");
  }
}

}  // namespace
}  // namespace micro::tls
