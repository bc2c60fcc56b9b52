#include "tls_setup.hpp"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/testcerts/authority.hpp>

#include "service_fixture.hpp"

namespace micro::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TlsSetupTest : public testing::Test {
 protected:
  TlsSetupTest() : base_(testing::TempDir() + "service-tls-" + std::to_string(getpid()) + "-") {
    write("ca.pem", authority_.certificate());
    for (const char* name : {"a", "b"}) issue(name);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name) + ".new") << text;
    std::rename((path(name) + ".new").c_str(), path(name).c_str());
  }
  void issue(const std::string& name) {
    const testkit::IssuedCertificate issued =
        authority_.issue({.common_name = name, .alternative_names = {"IP:127.0.0.1", "URI:spiffe://acme/" + name}});
    write(name + ".pem", issued.certificate);
    write(name + ".key", issued.key);
  }
  std::string path(const std::string& name) const { return base_ + name; }
  ServiceOptions secure(std::string name, const std::string& certificate) {
    ServiceOptions options = quiet(std::move(name), registry_);
    options.tls.cert = path(certificate + ".pem");
    options.tls.key = path(certificate + ".key");
    options.tls.ca = path("ca.pem");
    return options;
  }
  // What start() says about options with these faults.
  std::string fault(const TlsOptions& tls) {
    ServiceOptions options = quiet("a", registry_);
    options.tls = tls;
    Service service(options);
    const Result<void> started = service.start();
    if (started) return "";
    EXPECT_EQ(started.error().code(), Code::kInvalidArgument);
    return started.error().message();
  }

  testkit::Authority authority_;
  std::string base_;
  std::shared_ptr<FakeRegistry> registry_ = std::make_shared<FakeRegistry>();
};

// Says who called.
class Asked final : public rpc::Middleware {
 public:
  std::string_view name() const noexcept override { return "asked"; }
  Task<rpc::Reply> handle(Context& context, rpc::Call& call, rpc::Next next) override {
    const PeerIdentity* identity = context.peer_identity().get();
    callers.push_back(identity == nullptr ? "plain" : identity->verified ? identity->uris.at(0) : "unknown");
    return next(context, call);
  }
  std::vector<std::string> callers;
};

TEST_F(TlsSetupTest, ServicesCallEachOtherByTls) {
  ServiceOptions options = secure("b", "b");
  options.tls.only = true;
  options.tls.client_auth = "require";
  Service server(options);
  const auto asked = std::make_shared<Asked>();
  server.use(asked);
  server.handle(std::make_shared<Echo>());
  ASSERT_TRUE(server.start());
  Service client(secure("a", "a"));
  ASSERT_TRUE(client.start());
  const Result<std::string> reply = call(client, "b", "Say", "hi");
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(*reply, "you said hi");
  EXPECT_THAT(asked->callers, testing::ElementsAre("spiffe://acme/a"));

  // One that knows nothing of TLS finds in the registry that it is needed, and whom it would have to trust.
  Service stranger(quiet("stranger", registry_));
  ASSERT_TRUE(stranger.start());
  const Result<std::string> refused = call(stranger, "b", "Say", "hi");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason(), "TLS_CERTIFICATE") << refused.error().message();
  const Result<std::string> plain = call(stranger, "b", "Say", "hi", at(server));
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().reason(), "TLS_REQUIRED") << plain.error().message();
}

TEST_F(TlsSetupTest, StartsAgain) {
  Service service(secure("a", "a"));
  service.handle(std::make_shared<Echo>());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(service.start());
    EXPECT_EQ(call(service, "a", "Say", "hi").value_or("failed"), "you said hi");
    service.stop();
  }
}

TEST_F(TlsSetupTest, SaysWhatIsWrong) {
  const TlsOptions good = secure("a", "a").tls;
  EXPECT_EQ(fault(good), "");
  TlsOptions bad = good;
  bad.key += "," + path("b.key");
  EXPECT_THAT(fault(bad), HasSubstr("--tls_cert names 1 files and --tls_key 2"));
  bad.cert += "," + path("a.pem");
  EXPECT_THAT(fault(bad), HasSubstr("b.key does not belong to the certificate"));
  bad = good;
  bad.client_auth = "maybe";
  EXPECT_THAT(fault(bad), HasSubstr("--tls_client_auth \"maybe\": expected none, request or require"));
  bad = TlsOptions();
  bad.only = true;
  bad.client_auth = "require";
  EXPECT_THAT(fault(bad),
              AllOf(HasSubstr("2 faults"), HasSubstr("--tls_only"), HasSubstr("--tls_client_auth require needs TLS")));
  bad = TlsOptions();
  bad.ca = path("nowhere");
  EXPECT_THAT(fault(bad), HasSubstr("TLS: trusted authorities: cannot read"));
}

TEST_F(TlsSetupTest, CredentialsOfTheProgramGoBefore) {
  ServiceOptions options = quiet("a", registry_);
  options.server.tls = tls::ServerCredentials::load({.certificates = {{path("a.pem"), path("a.key")}}}).value();
  options.client.tls = tls::ClientCredentials::load({.trusted = path("ca.pem")}).value();
  options.tls.only = true;
  Service service(options);
  service.handle(std::make_shared<Echo>());
  ASSERT_TRUE(service.start());
  EXPECT_EQ(call(service, "a", "Say", "hi").value_or("failed"), "you said hi");
}

TEST_F(TlsSetupTest, NewFilesAreSeen) {
  ServiceOptions options = secure("a", "a");
  options.tls.reload_interval = std::chrono::milliseconds(1);
  options.server.tls = tls::ServerCredentials::load({.certificates = {{path("a.pem"), path("a.key")}}}).value();
  Service service(options);
  service.handle(std::make_shared<Echo>());
  ASSERT_TRUE(service.start());
  const auto before = options.server.tls->snapshot();
  issue("a");
  while (options.server.tls->snapshot() == before) std::this_thread::yield();
  EXPECT_EQ(call(service, "a", "Say", "hi").value_or("failed"), "you said hi");
}

}  // namespace
}  // namespace micro::test
