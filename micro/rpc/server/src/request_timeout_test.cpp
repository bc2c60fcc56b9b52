// Calls that take longer than the server allows.
#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kHang =
    "POST /test.Echo/Hang HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\"x\"";

TEST(RequestTimeout, EndsCallsAndCountsThem) {
  TestServer server;
  server.server.use(deadline(std::chrono::milliseconds(5)));
  server.start();
  Http2Client client(server);
  const Answer& grpc = client.call("/test.Echo/Hang", "x", {{"grpc-timeout", "1H"}});
  EXPECT_EQ(grpc.field("grpc-status"), "4");
  EXPECT_THAT(grpc.field("grpc-message"), HasSubstr("longer than this server allows"));
  EXPECT_EQ(server.server.counters().request_timeouts, 1U);
  const std::string http = http1(server, kHang);
  EXPECT_THAT(http, StartsWith("HTTP/1.1 504"));
  EXPECT_THAT(http, HasSubstr("REQUEST_TIMEOUT"));
  EXPECT_EQ(server.server.counters().request_timeouts, 2U);
  EXPECT_EQ(client.call("/test.Echo/Say", "x").field("grpc-status"), "0");
  EXPECT_EQ(server.server.counters().request_timeouts, 2U);
}

TEST(RequestTimeout, DeadlinesOfCallersAreNotCounted) {
  TestServer server;
  server.server.use(deadline(std::chrono::hours(1)));
  server.start();
  Http2Client client(server);
  const Answer& late = client.call("/test.Echo/Hang", "x", {{"grpc-timeout", "5m"}});
  EXPECT_EQ(late.field("grpc-status"), "4");
  EXPECT_EQ(server.server.counters().request_timeouts, 0U);
}

}  // namespace
}  // namespace micro::rpc::test
