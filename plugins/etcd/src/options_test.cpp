#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/etcd/install.hpp>
#include <micro/etcd/registry.hpp>
#include <micro/plugin/plugins.hpp>

#include "endpoints.hpp"

namespace micro::etcd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::optional<std::string> nothing(const char*) { return std::nullopt; }

TEST(EtcdOptions, Endpoints) {
  struct Case {
    const char* text;
    const char* address;
    bool tls;
  };
  const Case cases[] = {{"10.0.0.1:2379", "10.0.0.1:2379", false},
                        {"10.0.0.1", "10.0.0.1:2379", false},
                        {"http://etcd:1", "etcd:1", false},
                        {"https://etcd", "etcd:2379", true},
                        {"https://etcd:1/", "etcd:1", true},
                        {"[::1]:5", "[::1]:5", false},
                        {"unix:/run/etcd.sock", "unix:/run/etcd.sock", false}};
  for (const Case& c : cases) {
    const auto parsed = parse_endpoints({c.text});
    ASSERT_TRUE(parsed) << c.text << ": " << parsed.error().to_string();
    EXPECT_THAT(parsed->addresses, ElementsAre(c.address));
    EXPECT_EQ(parsed->tls, c.tls) << c.text;
  }
}

TEST(EtcdOptions, UnusableEndpoints) {
  for (const char* text : {"ftp://etcd:1", "http://", "etcd:x", "etcd:99999", "etcd:1/path", "etcd:1?x=1"}) {
    const auto parsed = parse_endpoints({text});
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(parsed.error().message(), HasSubstr(text));
  }
  EXPECT_FALSE(parse_endpoints({}));
  EXPECT_THAT(parse_endpoints({"https://a", "http://b"}).error().message(), HasSubstr("https"));
  // Whoever wrote a password there does not want to see it in a log.
  EXPECT_THAT(parse_endpoints({"http://root:hunter2@etcd"}).error().message(), Not(HasSubstr("hunter2")));
}

TEST(EtcdOptions, FromFlagsAndEnvironment) {
  const auto environment = [](const char* name) -> std::optional<std::string> { return "the " + std::string(name); };
  const auto options = make_options({.address = "a:1, b:2,", .layout = "kratos:/prod"}, environment);
  ASSERT_TRUE(options);
  EXPECT_THAT(options->endpoints, ElementsAre("a:1", "b:2"));
  EXPECT_EQ(options->layout->prefix("x"), "/prod/x/");
  EXPECT_EQ(options->username, "the ETCD_USERNAME");
  EXPECT_EQ(options->password, "the ETCD_PASSWORD");
  EXPECT_EQ(options->ca, "the ETCD_CACERT");
  EXPECT_EQ(options->certificate, "the ETCD_CERT");
  EXPECT_EQ(options->key, "the ETCD_KEY");
}

TEST(EtcdOptions, Defaults) {
  const auto options = make_options({}, nothing);
  ASSERT_TRUE(options);
  EXPECT_THAT(options->endpoints, ElementsAre("127.0.0.1:2379"));
  EXPECT_EQ(options->layout->name(), "go-micro");
  EXPECT_EQ(options->timeout, std::chrono::seconds(5));
}

TEST(EtcdOptions, HalfAUserIsNone) {
  const auto only = [](const char* name) -> std::optional<std::string> {
    return std::string_view(name) == "ETCD_USERNAME" ? std::optional<std::string>("root") : std::nullopt;
  };
  EXPECT_EQ(make_options({}, only)->username, "");
}

TEST(EtcdOptions, Refuses) {
  const auto only_a_certificate = [](const char* name) -> std::optional<std::string> {
    return std::string_view(name) == "ETCD_CERT" ? std::optional<std::string>("/cert.pem") : std::nullopt;
  };
  EXPECT_THAT(make_options({}, only_a_certificate).error().message(), HasSubstr("ETCD_KEY"));
  EXPECT_THAT(make_options({.layout = "zookeeper"}, nothing).error().message(), HasSubstr("go-micro, kratos"));
  EXPECT_EQ(make_options({.address = "ftp://x"}, nothing).error().code(), Code::kInvalidArgument);
}

TEST(EtcdOptions, FilesThatCannotBeReadAreToldAtOnce) {
  const auto made = Registry::make({.ca = "/no/such/ca.pem"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(made.error().message(), HasSubstr("/no/such/ca.pem"));
}

TEST(EtcdInstall, AddsItself) {
  Plugins plugins;
  install(plugins);
  const auto made = plugins.make_registry("etcd", {.address = "127.0.0.1:1,127.0.0.1:2"});
  ASSERT_TRUE(made) << made.error().to_string();
}

}  // namespace
}  // namespace micro::etcd
