#include <gtest/gtest.h>

#include <micro/loop/group.hpp>

#include "no_package.micro.hpp"
#include "recording_client.hpp"
#include "run_task.hpp"
#include "tricky/names.micro.hpp"
#include "tricky/services.micro.hpp"

namespace micro::generator_test {
namespace {

namespace names = ::tricky::micro;
using rpc::MethodKind;

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    recorded() = {};
    answers().clear();
    failure().reset();
    written().clear();
  }

  static std::string text(std::string value) {
    names::Outer::Inner message;
    message.set_text(std::move(value));
    return message.SerializeAsString();
  }

  LoopGroup loops_{LoopGroup::Options{.size = 1}};
  rpc::Client client_{loops_, nullptr, rpc::ClientOptions{}};
  Context context_;
};

TEST_F(ClientTest, UnaryCallsCarryTheNamesOfTheWire) {
  names::Names::Client client(client_);
  answers() = {text("done")};
  const names::Outer request;
  const Result<names::Outer::Inner> reply = run(client.delete__(context_, request));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text(), "done");
  EXPECT_EQ(recorded().service, "micro");  // the last part of the package
  EXPECT_EQ(recorded().proto_service, "tricky.micro.Names");
  EXPECT_EQ(recorded().method, "delete");
  EXPECT_FALSE(recorded().kind);
  EXPECT_FALSE(recorded().options.idempotent);
}

TEST_F(ClientTest, TheNameInTheRegistryMayBeAnother) {
  EchoText request;
  request.set_text("hi");
  answers() = {request.SerializeAsString()};
  EchoService::Client by_default(client_);
  ASSERT_TRUE(run(by_default.Echo(context_, request)));
  EXPECT_EQ(recorded().service, "echoservice");
  EXPECT_EQ(recorded().proto_service, "EchoService");
  EXPECT_EQ(recorded().request, request.SerializeAsString());
  EchoService::Client named(client_, "echo-eu");
  ASSERT_TRUE(run(named.Echo(context_, request)));
  EXPECT_EQ(recorded().service, "echo-eu");
}

TEST_F(ClientTest, IdempotentMethodsSaySoWithAndWithoutOptions) {
  names::Order::Client client(client_);
  answers() = {""};
  const ::tricky::types::Order order;
  ASSERT_TRUE(run(client.Put(context_, order)));
  EXPECT_TRUE(recorded().options.idempotent);
  rpc::CallOptions options;
  options.compression = "gzip";
  ASSERT_TRUE(run(client.Put(context_, order, options)));
  EXPECT_TRUE(recorded().options.idempotent);
  EXPECT_EQ(recorded().options.compression, "gzip");
  EXPECT_FALSE(options.idempotent);

  const ::google::protobuf::Empty empty;
  ASSERT_TRUE(run(client.Watch(context_, empty, options)));
  EXPECT_TRUE(recorded().options.idempotent);
  EXPECT_EQ(recorded().options.compression, "gzip");
  ASSERT_TRUE(run(client.Upload(context_, options)));
  EXPECT_TRUE(recorded().options.idempotent);
  ASSERT_TRUE(run(client.Upload(context_)));
  EXPECT_TRUE(recorded().options.idempotent);
}

TEST_F(ClientTest, OtherMethodsPassTheirOptionsOn) {
  names::Status::Client client(client_);
  answers() = {""};
  const ::tricky::types::Order order;
  rpc::CallOptions options;
  options.addresses = {"10.0.0.7:8080"};
  ASSERT_TRUE(run(client.Order(context_, order, options)));
  EXPECT_FALSE(recorded().options.idempotent);
  EXPECT_EQ(recorded().options.addresses, options.addresses);
  options.idempotent = true;
  ASSERT_TRUE(run(client.Order(context_, order, options)));
  EXPECT_TRUE(recorded().options.idempotent);
}

TEST_F(ClientTest, ServerStreamsSendTheRequestFirst) {
  names::Order::Client client(client_);
  ::tricky::types::Order first;
  first.set_count(1);
  ::tricky::types::Order second;
  second.set_count(2);
  answers() = {first.SerializeAsString(), second.SerializeAsString()};
  const ::google::protobuf::Empty empty;
  auto stream = run(client.Watch(context_, empty));
  ASSERT_TRUE(stream);
  EXPECT_EQ(recorded().kind, MethodKind::kServerStream);
  ::tricky::types::Order order;
  EXPECT_EQ(run(stream->read(order)), true);
  EXPECT_EQ(order.count(), 1);
  EXPECT_EQ(run(stream->read(order)), true);
  EXPECT_EQ(order.count(), 2);
  EXPECT_EQ(run(stream->read(order)), false);
}

TEST_F(ClientTest, ClientStreamsWriteAndFinish) {
  names::Names::Client client(client_);
  answers() = {text("seen")};
  {
    auto stream = run(client.class_(context_));
    ASSERT_TRUE(stream);
    const names::Outer message;
    ASSERT_TRUE(run(stream->write(message)));
    ASSERT_TRUE(run(stream->write(message)));
    const Result<names::Outer::Inner> reply = run(stream->finish());
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->text(), "seen");
  }
  EXPECT_EQ(recorded().kind, MethodKind::kClientStream);
  EXPECT_EQ(recorded().method, "class");
  EXPECT_EQ(written().size(), 2u);
}

TEST_F(ClientTest, BidiStreamsReadAndWrite) {
  names::Names::Client client(client_);
  answers() = {text("pong")};
  {
    auto stream = run(client.Client_(context_));
    ASSERT_TRUE(stream);
    const names::Outer message;
    ASSERT_TRUE(run(stream->write(message)));
    names::Outer::Inner answer;
    EXPECT_EQ(run(stream->read(answer)), true);
    EXPECT_EQ(answer.text(), "pong");
    EXPECT_TRUE(run(stream->close_send()));
  }
  EXPECT_EQ(recorded().kind, MethodKind::kBidiStream);
  EXPECT_EQ(recorded().method, "Client");
  EXPECT_EQ(written().size(), 1u);
}

TEST_F(ClientTest, FailuresAreThoseOfTheClient) {
  names::Names::Client client(client_);
  failure() = unavailable("nobody there");
  const names::Outer outer;
  const auto reply = run(client.open(context_, outer));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), unavailable("nobody there"));
  const auto stream = run(client.Handler_(context_, outer));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error(), unavailable("nobody there"));
}

}  // namespace
}  // namespace micro::generator_test
