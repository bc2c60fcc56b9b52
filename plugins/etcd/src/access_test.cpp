#include <fstream>

#include <micro/testcerts/authority.hpp>

#include "registry_fixture.hpp"

namespace micro::etcd {
namespace {

using testing::HasSubstr;
using testing::Not;
using Ids = std::set<std::string>;

// Users and certificates.
class EtcdAccess : public EtcdTest {
 protected:
  static void enable_users(const EtcdServer& server) {
    server.ctl("user add root:rootpw");
    server.ctl("user add svc:hunter2");
    server.ctl("role add registry");
    server.ctl("role grant-permission registry readwrite --prefix /micro/registry/");
    server.ctl("user grant-role svc registry");
    server.ctl("auth enable");
  }
  static Options as(const EtcdServer& server, const std::string& user, const std::string& password) {
    Options options = options_for(server);
    options.username = user;
    options.password = password;
    return options;
  }
  std::string file(const std::string& name, const std::string& text) {
    const std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  testkit::TempDirectory directory_;
};

TEST_F(EtcdAccess, WithAUser) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  enable_users(server);
  const auto registry = connect(as(server, "svc", "hunter2"));
  const auto watcher = watch(*registry);
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(ids(*registry), Ids{"one"});
  EXPECT_EQ(registry->counters().logins, 1u);
  // A new password, even the same, makes the tokens of the old one worthless.
  server.ctl("--user root:rootpw user passwd svc --interactive=false < " + file("password", "hunter2\n"));
  ASSERT_TRUE(add(*registry, "two"));
  EXPECT_GE(registry->counters().logins, 2u);
  EXPECT_EQ(follow(*watcher, {}, "two"), (Ids{"one", "two"}));
  // So does a restart.
  server.process().kill();
  server.restart();
  add_again(*registry, "three");
  EXPECT_EQ(follow(*watcher, {"one", "two"}, "three"), (Ids{"one", "two", "three"}));
}

TEST_F(EtcdAccess, TokensRunOut) {
  MICRO_NEEDS_ETCD();
  EtcdServer::Options options;
  options.arguments = {"--auth-token-ttl=1"};
  EtcdServer server(options);
  enable_users(server);
  Options ours = as(server, "svc", "hunter2");
  ours.probe_interval = std::chrono::hours(1);
  const auto registry = connect(ours);
  const auto watcher = watch(*registry);
  while (registry->counters().logins < 2) {
    run(sleep_for(std::chrono::milliseconds(1500)));
    ASSERT_TRUE(add(*registry, "one"));
  }
  EXPECT_EQ(follow(*watcher, {}, "one"), Ids{"one"});
}

TEST_F(EtcdAccess, WrongAndMissingUsers) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  enable_users(server);
  const auto wrong = add(*connect(as(server, "svc", "hunter3")), "one");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), Code::kUnauthenticated);
  EXPECT_THAT(wrong.error().to_string(), HasSubstr("svc"));
  EXPECT_THAT(wrong.error().to_string(), HasSubstr(server.address()));
  EXPECT_THAT(wrong.error().to_string(), Not(HasSubstr("hunter3")));
  const auto nobody = add(*connect(options_for(server)), "one");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code(), Code::kUnauthenticated);
  EXPECT_THAT(nobody.error().message(), HasSubstr("ETCD_USERNAME"));
  // May not write there.
  Options elsewhere = as(server, "svc", "hunter2");
  elsewhere.layout = registry::make_layout("kratos").value();
  const auto denied = add(*connect(elsewhere), "one");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(denied.error().to_string(), Not(HasSubstr("hunter2")));
}

TEST_F(EtcdAccess, AUserWhereNoneIsWanted) {
  MICRO_NEEDS_ETCD();
  EtcdServer server;
  const auto registry = connect(as(server, "svc", "hunter2"));
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(registry->counters().logins, 0u);
  // Until it is.
  enable_users(server);
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(registry->counters().logins, 1u);
}

TEST_F(EtcdAccess, Tls) {
  MICRO_NEEDS_ETCD();
  const testkit::Authority authority;
  const auto pair = authority.issue({.alternative_names = {"IP:127.0.0.1"}});
  const auto client = authority.issue({.common_name = "svc"});
  EtcdServer::Options wanted;
  wanted.certificate = file("server.pem", pair.certificate);
  wanted.key = file("server.key", pair.key);
  wanted.client_authorities = file("ca.pem", authority.certificate());
  EtcdServer server(wanted);

  Options options = options_for(server);
  options.ca = wanted.client_authorities;
  options.certificate = file("client.pem", client.certificate);
  options.key = file("client.key", client.key);
  const auto registry = connect(options);
  const auto watcher = watch(*registry);
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(ids(*registry), Ids{"one"});
  EXPECT_EQ(follow(*watcher, {}, "one"), Ids{"one"});

  Options stranger = options;
  stranger.ca = file("other.pem", testkit::Authority("Other").certificate());
  const auto untrusted = add(*connect(stranger), "one");
  ASSERT_FALSE(untrusted);
  EXPECT_EQ(untrusted.error().code(), Code::kUnavailable);
  EXPECT_THAT(untrusted.error().message(), HasSubstr(server.address()));

  Options plain = options_for(server);
  EXPECT_EQ(add(*connect(plain), "one").error().code(), Code::kUnavailable);

  Options anonymous = options;
  anonymous.certificate = anonymous.key = {};
  EXPECT_EQ(add(*connect(anonymous), "one").error().code(), Code::kUnavailable);
}

TEST_F(EtcdAccess, TlsByAnotherName) {
  MICRO_NEEDS_ETCD();
  const testkit::Authority authority;
  const auto pair = authority.issue({.alternative_names = {"DNS:etcd.test"}});
  EtcdServer::Options wanted;
  wanted.certificate = file("server.pem", pair.certificate);
  wanted.key = file("server.key", pair.key);
  EtcdServer server(wanted);
  Options options = options_for(server);
  options.endpoints = {"https://" + server.address()};
  options.ca = file("ca.pem", authority.certificate());
  EXPECT_EQ(add(*connect(options), "one").error().code(), Code::kUnavailable);
  options.server_name = "etcd.test";
  const auto registry = connect(options);
  ASSERT_TRUE(add(*registry, "one"));
  EXPECT_EQ(ids(*registry), Ids{"one"});
}

}  // namespace
}  // namespace micro::etcd
