#include "reachable.hpp"

#include <gtest/gtest.h>

namespace micro {
namespace {

TEST(Reachable, KnowsWildcardsInEverySpelling) {
  for (const char* host : {"", "0.0.0.0", "::", "0:0:0:0:0:0:0:0", "0::0", "::ffff:0.0.0.0", "::%eth0"})
    EXPECT_TRUE(is_wildcard(host)) << host;
  for (const char* host : {"10.0.0.7", "::1", "::ffff:10.0.0.7", "localhost", "zero.example"})
    EXPECT_FALSE(is_wildcard(host)) << host;
}

TEST(Reachable, PublishesWhatOthersCanConnectTo) {
  const std::vector<std::string> both{"10.0.0.7", "2001:db8::7", "127.0.0.1", "::1"};
  const std::vector<std::string> six{"2001:db8::7", "127.0.0.1", "::1"};
  struct Case {
    const char* bound;
    std::vector<std::string> hosts;
    const char* published;
  };
  const std::vector<Case> cases{
      {"0.0.0.0:80", both, "10.0.0.7:80"},
      {"[::]:80", both, "10.0.0.7:80"},
      {":80", both, "10.0.0.7:80"},
      {"[::]:80", six, "[2001:db8::7]:80"},
      {"0.0.0.0:80", six, "127.0.0.1:80"},  // nobody listens on the IPv6 address
      {"0.0.0.0:80", {}, "127.0.0.1:80"},
      {"10.1.1.1:80", both, "10.1.1.1:80"},
      {"[2001:db8::9]:80", both, "[2001:db8::9]:80"},
      {"unix:/run/x.sock", both, "unix:/run/x.sock"},
  };
  for (const Case& c : cases) EXPECT_EQ(reachable_address(Address::parse(c.bound).value(), c.hosts), c.published) << c.bound;
}

}  // namespace
}  // namespace micro
