#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/uri/uri.hpp>

namespace micro {
namespace {

using testing::HasSubstr;

TEST(Address, ParsesAllForms) {
  const struct {
    std::string_view text;
    Address address;
    std::string_view canonical;
  } cases[] = {
      {"localhost:8080", {"localhost", 8080, ""}, "localhost:8080"},
      {"10.0.0.7:50122", {"10.0.0.7", 50122, ""}, "10.0.0.7:50122"},
      {"my_host-1.svc.local:0", {"my_host-1.svc.local", 0, ""}, "my_host-1.svc.local:0"},
      {":8080", {"", 8080, ""}, ":8080"},
      {":0", {"", 0, ""}, ":0"},
      {"[::1]:443", {"::1", 443, ""}, "[::1]:443"},
      {"[::]:65535", {"::", 65535, ""}, "[::]:65535"},
      {"[fe80::1%eth0]:80", {"fe80::1%eth0", 80, ""}, "[fe80::1%eth0]:80"},
      {"unix:/run/micro.sock", {"", 0, "/run/micro.sock"}, "unix:/run/micro.sock"},
      {"unix:///run/micro.sock", {"", 0, "/run/micro.sock"}, "unix:/run/micro.sock"},
      {"unix:relative.sock", {"", 0, "relative.sock"}, "unix:relative.sock"},
  };
  for (const auto& test : cases) {
    const auto address = Address::parse(test.text);
    ASSERT_TRUE(address) << address.error().to_string();
    EXPECT_EQ(*address, test.address) << test.text;
    EXPECT_EQ(address->to_string(), test.canonical);
    EXPECT_EQ(address->is_unix(), test.text.starts_with("unix:"));
  }
}

TEST(Address, RefusesTheRestAndSaysWhy) {
  const std::string long_path = "unix:/" + std::string(107, 'x');
  const struct {
    std::string_view text, why;
  } cases[] = {
      {"", "it is empty"},
      {"localhost", "the port is missing; write for example \"localhost:8080\""},
      {"localhost:", "the port is missing; write for example \"localhost:8080\""},
      {"[::1]", "the port is missing; write for example \"[::1]:8080\""},
      {":", "the port is missing; write for example \":8080\""},
      {"host:http", "the port \"http\" is not a number from 0 to 65535"},
      {"host:65536", "the port \"65536\" is not"},
      {"host:-1", "the port \"-1\" is not"},
      {"host:+80", "the port \"+80\" is not"},
      {"host:000080", "the port \"000080\" is not"},
      {"::1:80", "an IPv6 address goes in brackets"},
      {"::1", "an IPv6 address goes in brackets"},
      {"a:b:80", "more than one ':'"},
      {"http://host:80", "more than one ':'"},
      {"//host:80", "a host name cannot hold '/'"},
      {"ho st:80", "a host name cannot hold ' '"},
      {"[::1:80", "'[' without ']'"},
      {"[localhost]:80", "no IPv6 address between the brackets"},
      {"[fe80::1%]:80", "no IPv6 address between the brackets"},
      {"[::1]x80", "expected ':' and a port after ']'"},
      {"unix:", "the path of the Unix socket is missing"},
      {"unix://run/x", "must be absolute"},
      {std::string_view("unix:/a\0b", 9), "zero byte"},
      {long_path, "at most 107 bytes"},
  };
  for (const auto& test : cases) {
    const auto address = Address::parse(test.text);
    ASSERT_FALSE(address) << test.text;
    EXPECT_EQ(address.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(address.error().message(), HasSubstr(test.why));
  }
}

}  // namespace
}  // namespace micro
