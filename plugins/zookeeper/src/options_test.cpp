#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/plugin/plugins.hpp>
#include <micro/zookeeper/install.hpp>
#include <micro/zookeeper/registry.hpp>

#include "paths.hpp"
#include "servers.hpp"

namespace micro::zookeeper {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::map<std::string, std::string> variables;

std::optional<std::string> variable(const char* name) {
  const auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(found->second);
}

std::string refused(const RegistryConfig& config) {
  const auto options = make_options(config, variable);
  if (options) return "taken";
  EXPECT_EQ(options.error().code(), Code::kInvalidArgument);
  return options.error().message();
}

class ZookeeperOptions : public testing::Test {
 protected:
  ZookeeperOptions() { variables.clear(); }
};

TEST_F(ZookeeperOptions, ComeFromFlagsAndTheEnvironment) {
  const auto usual = make_options({}, variable);
  ASSERT_TRUE(usual);
  EXPECT_THAT(usual->servers, ElementsAre("127.0.0.1:2181"));
  EXPECT_EQ(usual->layout->prefix({}), "/micro-registry/");
  variables = {{"ZOOKEEPER_USERNAME", "micro"}, {"ZOOKEEPER_PASSWORD", "secret"}};
  const auto own = make_options({.address = "10.0.0.1,10.0.0.2:2182", .layout = "kratos"}, variable);
  ASSERT_TRUE(own);
  EXPECT_THAT(own->servers, ElementsAre("10.0.0.1", "10.0.0.2:2182"));
  EXPECT_EQ(own->layout->prefix({}), "/microservices/");
  EXPECT_EQ(own->username, "micro");
  EXPECT_EQ(own->password, "secret");
}

TEST_F(ZookeeperOptions, ThatCannotBeUsedSayWhy) {
  EXPECT_THAT(refused({.address = "10.0.0.1:port"}), HasSubstr("10.0.0.1:port"));
  EXPECT_THAT(refused({.address = "10.0.0.1:2181/app"}), HasSubstr("--registry_layout go-micro:/path"));
  EXPECT_THAT(refused({.address = "10.0.0.1,"}), HasSubstr("it needs a host and a port"));
  EXPECT_THAT(refused({.address = "unix:/x"}), HasSubstr("unix:/x"));
  EXPECT_THAT(refused({.layout = "goms"}), AllOf(HasSubstr("\"goms\""), HasSubstr("go-micro, kratos")));
  EXPECT_THAT(refused({.layout = "go-micro:registry"}), HasSubstr("do not begin with a path"));
  EXPECT_THAT(refused({.layout = "go-micro:/a//b"}), HasSubstr("\"/a//b\" is no path"));
  EXPECT_THAT(refused({.layout = "nobody's"}), HasSubstr("go-micro"));
  variables = {{"ZOOKEEPER_PASSWORD", "s3cr3t"}};
  EXPECT_THAT(refused({}), AllOf(HasSubstr("belong together"), Not(HasSubstr("s3cr3t"))));
}

TEST(ZookeeperServers, HaveAPortEach) {
  EXPECT_THAT(check_servers({"10.0.0.1", "zk.example:2182", "[2001:db8::7]", "[::1]:2183"}).value(),
              ElementsAre("10.0.0.1:2181", "zk.example:2182", "[2001:db8::7]:2181", "[::1]:2183"));
  EXPECT_FALSE(check_servers({}));
}

TEST(ZookeeperPaths, EscapeWhatZooKeeperCannotHold) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"greeter", "greeter"}, {"grüße", "grüße"},       {"日本", "日本"},       {"a b%2F", "a b%2F"},
      {".", "%2E"},           {"..", "%2E%2E"},         {"...", "..."},         {".hidden", ".hidden"},
      {"a/b", "a%2Fb"},       {"a\nb\x7f", "a%0Ab%7F"}, {"\xC2\x85", "%C2%85"}, {"\xEE\x80\x80", "%EE%80%80"},
      {"\xFF", "%FF"},        {"\xE6\x97", "%E6%97"},   {"😀", "%F0%9F%98%80"}};
  for (const auto& [name, part] : cases) EXPECT_EQ(safe_part(name), part);
}

TEST(ZookeeperInstall, MakesARegistryThatHasNotConnected) {
  Plugins plugins;
  install(plugins);
  const auto made = plugins.make_registry("zookeeper", {.address = "10.255.255.1", .layout = {}});
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ((*made)->describe(), "zookeeper registry at 10.255.255.1:2181");
}

}  // namespace
}  // namespace micro::zookeeper
