#include "admission.hpp"

#include <sys/resource.h>

#include <gtest/gtest.h>

namespace micro::rpc {
namespace {

using Answer = Admission::Answer;

Admission::Answer enter(Admission& admission, std::string peer) { return admission.enter(peer); }

TEST(Admission, CountsConnections) {
  Admission admission;
  ServerOptions options;
  options.max_connections = 2;
  admission.configure(options);
  EXPECT_EQ(enter(admission, "10.0.0.7:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "10.0.0.7:2"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "10.0.0.8:1"), Answer::kTooMany);
  admission.leave("10.0.0.7:1");
  EXPECT_EQ(enter(admission, "10.0.0.8:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "10.0.0.8:2"), Answer::kTooMany);
}

TEST(Admission, CountsByAddress) {
  Admission admission;
  ServerOptions options;
  options.max_connections = 4;
  options.max_connections_per_peer = 1;
  admission.configure(options);
  EXPECT_EQ(enter(admission, "10.0.0.7:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "10.0.0.7:2"), Answer::kTooManyOfPeer);
  EXPECT_EQ(enter(admission, "[fe80::1%eth0]:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "[fe80::1%eth0]:2"), Answer::kTooManyOfPeer);
  EXPECT_EQ(enter(admission, "unix:"), Answer::kWelcome) << "processes of this machine have no address";
  EXPECT_EQ(enter(admission, "unix:"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "10.0.0.9:1"), Answer::kTooMany) << "those refused for their address were not counted";
  admission.leave("10.0.0.7:1");
  EXPECT_EQ(enter(admission, "10.0.0.7:3"), Answer::kWelcome);
}

TEST(Admission, CountsNetworksOfIpv6) {
  Admission admission;
  ServerOptions options;
  options.max_connections_per_peer = 1;
  admission.configure(options);
  EXPECT_EQ(enter(admission, "[2001:db8:0:1::1]:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "[2001:db8:0:1:ffff::2]:1"), Answer::kTooManyOfPeer);
  EXPECT_EQ(enter(admission, "[2001:db8:0:2::1]:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "[fe80::1%eth0]:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "[fe80::2%eth0]:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "[::ffff:10.0.0.7]:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "[::ffff:10.0.0.8]:1"), Answer::kWelcome);
  EXPECT_EQ(enter(admission, "[::ffff:10.0.0.8]:2"), Answer::kTooManyOfPeer);
  admission.leave("[2001:db8:0:1::1]:1");
  EXPECT_EQ(enter(admission, "[2001:db8:0:1:ffff::2]:1"), Answer::kWelcome);
}

TEST(Admission, LeavesDescriptorsForOtherThings) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  for (const std::size_t asked : {0U, 1000U, 50U}) {
    Admission admission;
    ServerOptions options;
    options.max_connections = asked;
    admission.configure(options);
    EXPECT_EQ(admission.limit(), asked == 50 ? 50U : 90U) << asked;
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace micro::rpc
