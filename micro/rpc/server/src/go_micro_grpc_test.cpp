// gRPC as go-micro's plugins speak it.
#include <gmock/gmock.h>

#include <micro/grpc/base64.hpp>
#include <micro/grpc/status.hpp>
#include <micro/mucp/error.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::HasSubstr;

class GoMicroGrpc : public testing::Test {
 protected:
  void SetUp() override { server.start(); }
  TestServer server;
};

TEST_F(GoMicroGrpc, NamesServicesInItsOwnWay) {
  Http2Client client(server);
  EXPECT_EQ(client.call("/any.pkg.Echo/Say", "B").messages.at(0), "you said B");
  EXPECT_EQ(client.call("/Echo/Say", "B").messages.at(0), "you said B");
  EXPECT_EQ(client.call("/go.micro.srv.greeter.Echo/Say", "B").messages.at(0), "you said B");
  EXPECT_EQ(client.call("/any.pkg.v2.Echo/Say", "B").field("grpc-status"), "12") << "another version is another service";
  EXPECT_EQ(client.call("/any.pkg.Echo/Nothing", "B").field("grpc-status"), "12");
  EXPECT_EQ(client.call("/Nobody/Say", "B").field("grpc-status"), "12");
}

TEST_F(GoMicroGrpc, TheTimeoutInItsMetadataIsTheDeadline) {
  Http2Client client(server);
  EXPECT_EQ(
      client.call("/Echo/Hang", "B", {{"x-content-type", "application/grpc+proto"}, {"timeout", "1000000"}}).field("grpc-status"),
      "4");
  EXPECT_EQ(client.call("/Echo/Hang", "B", {{"timeout", "1000000"}}).field("grpc-status"), "4") << "without grpc-timeout, too";
  EXPECT_EQ(client.call("/Echo/Say", "B", {{"timeout", "1"}}).messages.at(0), "you said B") << "a user's own";
}

TEST_F(GoMicroGrpc, ErrorsAreToldInItsFormFirst) {
  Http2Client client(server);
  const Answer& answer = client.call("/Echo/Say", "fail", {{"x-content-type", "application/grpc+proto"}});
  EXPECT_EQ(answer.field("grpc-status"), "5");
  EXPECT_EQ(answer.field("grpc-message"), "no such text");
  std::string details;
  ASSERT_TRUE(grpc::base64_decode(answer.field("grpc-status-details-bin"), details));
  const std::size_t ours = details.find("errors.Error");
  const std::size_t info = details.find("google.rpc.ErrorInfo");
  ASSERT_NE(ours, std::string::npos);
  ASSERT_NE(info, std::string::npos);
  EXPECT_LT(ours, info) << "its client ends its process over another known detail";
  const auto error = grpc::decode_status(details);
  ASSERT_TRUE(error);
  ASSERT_EQ(error->details().size(), 1u);
  EXPECT_EQ(error->details()[0], mucp::encode_detail(Error(Code::kNotFound, "NO_TEXT", "no such text").with("key", "value")));

  const Answer& other = client.call("/Echo/Say", "fail");
  details.clear();
  ASSERT_TRUE(grpc::base64_decode(other.field("grpc-status-details-bin"), details));
  EXPECT_EQ(details.find("errors.Error"), std::string::npos) << "others do not want it";
}

TEST_F(GoMicroGrpc, ContentTypes) {
  Http2Client client(server);
  for (const std::string_view type : {"application/grpc", "application/grpc+proto", "application/grpc+bytes"}) {
    http2::Stream& stream = client.open_plain({{":method", "POST"},
                                               {":scheme", "http"},
                                               {":path", "/greeter.Echo/Say"},
                                               {":authority", "x"},
                                               {"te", "trailers"},
                                               {"content-type", type}},
                                              false);
    Answer& answer = client.answer();
    client.message(stream, "B", true);
    client.run_until([&] { return answer.closed; });
    ASSERT_EQ(answer.messages.size(), 1u) << type;
    EXPECT_EQ(answer.messages[0], "you said B");
  }
}

}  // namespace
}  // namespace micro::rpc::test
