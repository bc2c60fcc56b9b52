#include <unistd.h>

#include <fstream>

#include <micro/registry/memory.hpp>
#include <micro/testcerts/authority.hpp>
#include <micro/tls/credentials.hpp>

#include "client_fixture.hpp"

namespace micro::client::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TlsClientTest : public ClientFixture {
 protected:
  TlsClientTest() : base_(::testing::TempDir() + "client-tls-" + std::to_string(getpid()) + "-") {
    write("ca.pem", authority_.certificate());
    issue("server", {.common_name = "server", .alternative_names = {"DNS:localhost", "IP:127.0.0.1"}});
    issue("client", {.common_name = "client", .alternative_names = {"URI:spiffe://acme/client"}});
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(base_ + name) << text;
    return base_ + name;
  }
  tls::KeyPair issue(const std::string& name, const testkit::CertificateOptions& options) {
    const testkit::IssuedCertificate issued = authority_.issue(options);
    return {write(name + ".pem", issued.certificate), write(name + ".key", issued.key)};
  }
  tls::KeyPair pair(const std::string& name) const { return {base_ + name + ".pem", base_ + name + ".key"}; }
  std::string trusted() const { return base_ + "ca.pem"; }

  FakeServer& serve_tls(tls::ServerOptions options = {}) {
    if (options.certificates.empty()) options.certificates = {pair("server")};
    FakeServer::Options server;
    server.tls = tls::ServerCredentials::load(std::move(options)).value();
    return serve(hello, std::move(server));
  }
  void trust(tls::ClientOptions options) { options_.tls = tls::ClientCredentials::load(std::move(options)).value(); }

  testkit::Authority authority_;
  std::string base_;
};

TEST_F(TlsClientTest, CallsWithTlsWhereItIsRequired) {
  FakeServer& server = serve_tls();
  trust({.trusted = trusted()});
  options_.require_tls = true;
  Context context;
  EXPECT_EQ(call(context, at(server)).value(), "Hello John");
  ASSERT_TRUE(context.secure());
  EXPECT_EQ(context.peer_identity()->subject, "CN=server");
  EXPECT_TRUE(context.peer_identity()->verified);
  EXPECT_EQ(server.calls.at(0)->authority, server.address());
  EXPECT_EQ(call(at(server)).value(), "Hello John");
  EXPECT_EQ(server.accepted, 1) << "one connection, as without TLS";
}

TEST_F(TlsClientTest, LargeMessagesPass) {
  FakeServer& server = serve_tls();
  trust({.trusted = trusted()});
  options_.require_tls = true;
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(call(at(server), large).value().size(), large.size() + 6);
}

TEST_F(TlsClientTest, TheRecordOfANodeSaysWhetherItSpeaksTls) {
  FakeServer& secure = serve_tls();
  FakeServer& plain = serve(hello);
  trust({.trusted = trusted()});
  auto registry = std::make_shared<registry::Memory>();
  registry::Service record{.name = "greeter", .version = "1", .metadata = {}, .endpoints = {}, .nodes = {}};
  record.nodes.push_back({.id = "greeter-a", .address = secure.address(), .metadata = {{"tls", "true"}}});
  record.nodes.push_back({.id = "greeter-b", .address = plain.address(), .metadata = {}});
  registry::Cache cache(registry);
  run([](Loop& loop, registry::Registry& where, registry::Cache& lookups, const registry::Service& what) -> Task<void> {
    Context context;
    registry::RegisterOptions forever;
    forever.ttl = Duration{};
    EXPECT_TRUE((co_await where.register_service(context, what, forever)).has_value());
    lookups.start(loop);
  }(loop_, *registry, cache, record));
  client_ = std::make_unique<rpc::Client>(group_, &cache, options_);
  for (int i = 0; i < 4; ++i) {
    Context context;
    EXPECT_EQ(call(context, {}).value(), "Hello John");
    EXPECT_EQ(context.secure(), context.peer() == secure.address());
  }
  EXPECT_EQ(secure.calls.size(), 2u);
  EXPECT_EQ(plain.calls.size(), 2u);
  block_on(loop_, client_->stop(Clock::now()));
  client_.reset();
  run(cache.stop());
}

TEST_F(TlsClientTest, ShowsItsCertificate) {
  FakeServer& server = serve_tls({.certificates = {}, .client_auth = tls::ClientAuth::kRequire, .trusted = trusted()});
  trust({.trusted = trusted(), .certificate = pair("client")});
  options_.require_tls = true;
  EXPECT_EQ(call(at(server)).value(), "Hello John");
  ASSERT_EQ(server.identities.size(), 1u);
  EXPECT_THAT(server.identities[0]->uris, ElementsAre("spiffe://acme/client"));
}

TEST_F(TlsClientTest, SaysWhyAServerWasRefused) {
  options_.require_tls = true;
  options_.retry.max_attempts = 1;
  const auto refused = [&](FakeServer& server, tls::ClientOptions options) {
    trust(std::move(options));
    if (client_) block_on(loop_, client_->stop(Clock::now()));
    client_.reset();
    const Result<std::string> reply = call(at(server));
    EXPECT_FALSE(reply.has_value());
    return reply ? internal("was accepted") : reply.error();
  };
  const testkit::Authority other("Other Authority");
  FakeServer& server = serve_tls();
  Error error = refused(server, {.trusted = write("other.pem", other.certificate())});
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("greeter.Greeter/Hello: connect to " + server.address()),
                    HasSubstr("the server's certificate (CN=server) is signed by CN=Test Authority, which is not trusted")));
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.reason(), "TLS_CERTIFICATE");
  error = refused(server, {});
  EXPECT_EQ(error.reason(), "TLS_CERTIFICATE") << "nor do the authorities of the system sign for it";
  error = refused(server, {.trusted = trusted(), .server_name = "elsewhere"});
  EXPECT_THAT(error.message(), HasSubstr("is for localhost, 127.0.0.1 and not for elsewhere"));

  FakeServer& choosy = serve_tls({.certificates = {}, .client_auth = tls::ClientAuth::kRequire, .trusted = trusted()});
  error = refused(choosy, {.trusted = trusted()});
  EXPECT_THAT(error.message(), HasSubstr("it takes only clients with a certificate; set one (tls_cert, tls_key)"));

  FakeServer& web = serve_tls({.certificates = {}, .protocols = {"http/1.1"}});
  error = refused(web, {.trusted = trusted()});
  EXPECT_THAT(error.message(), HasSubstr("(ALPN)"));
  FakeServer& silent = serve_tls({.certificates = {}, .protocols = {}});
  error = refused(silent, {.trusted = trusted()});
  EXPECT_THAT(error.message(), HasSubstr("did not agree to HTTP/2 (ALPN h2)"));

  FakeServer::Options banner;
  banner.banner = "220 mail.example ESMTP\r\n";
  error = refused(serve(hello, std::move(banner)), {.trusted = trusted()});
  EXPECT_THAT(error.message(), HasSubstr("the server does not speak TLS on this connection"));
  EXPECT_EQ(error.reason(), "TLS_HANDSHAKE");
}

TEST_F(TlsClientTest, VerificationCanBeLeftOut) {
  FakeServer& server = serve_tls();
  trust({.insecure_skip_verify = true});
  options_.require_tls = true;
  Context context;
  EXPECT_EQ(call(context, at(server)).value(), "Hello John");
  EXPECT_FALSE(context.peer_identity()->verified);
}

TEST_F(TlsClientTest, AServerThatNeverAnswersTheHelloIsGivenUp) {
  FakeServer::Options deaf;
  deaf.silent = true;
  FakeServer& server = serve(hello, std::move(deaf));
  trust({.trusted = trusted()});
  options_.require_tls = true;
  options_.connect_timeout = milliseconds(20);
  options_.retry.max_attempts = 1;
  EXPECT_THAT(call(at(server)).error().message(), HasSubstr("no answer within 20ms"));
}

TEST_F(TlsClientTest, HearsThatANodeWantsTls) {
  FakeServer& server = serve(hello);
  server.options.refusal = "this port takes TLS connections only";
  options_.retry.max_attempts = 1;
  const Error error = call(at(server)).error();
  EXPECT_THAT(error.message(), HasSubstr("connect to " + server.address() + ": this port takes TLS connections only"));
  EXPECT_EQ(error.reason(), "TLS_REQUIRED");
}

}  // namespace
}  // namespace micro::client::testing
