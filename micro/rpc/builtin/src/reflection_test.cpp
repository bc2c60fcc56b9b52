#include <micro/builtin/reflection.hpp>

#include <algorithm>

#include <google/protobuf/descriptor.pb.h>

#include <micro/builtin/health.hpp>
#include <micro/builtin/reflection_messages.hpp>
#include <micro/codecs/dynamic_types.hpp>
#include <micro/codecs/protobuf.hpp>
#include <micro/coro/block_on.hpp>
#include <micro/health/health.hpp>

#include "fake_call.hpp"
#include "shop_messages.pb.h"

namespace micro::rpc {
namespace {

using google::protobuf::FileDescriptorProto;
using Names = std::vector<std::string>;

class ReflectionTest : public testing::TestWithParam<std::string> {
 protected:
  ReflectionTest() {
    // As a server does it: the service is there first, the endpoints come later.
    service_ = reflection_service(endpoints_);
    endpoints_.push_back({.service = "shop.Shop",
                          .method = "Buy",
                          .request_type = &codec::message_type<shop::messages::Order>(),
                          .reply_type = &codec::message_type<shop::messages::Receipt>()});
    for (auto& handler : {service_, health_service(health_)}) {
      for (Endpoint& endpoint : handler->endpoints()) endpoints_.push_back(std::move(endpoint));
    }
  }
  const Endpoint& info() {
    return find_endpoint(endpoints_, "/grpc.reflection." + GetParam() + ".ServerReflection/ServerReflectionInfo");
  }

  // Asks one question after the other on one stream; the answers as JSON without the question.
  Names ask(const Names& questions) {
    FakeCall call(info());
    for (const std::string& question : questions) call.stream.in.try_send(std::string(question));
    call.stream.in.close();
    const Reply ended = block_on(loop_, call.run());
    EXPECT_TRUE(ended) << ended.error().to_string();
    Names answers;
    while (auto answer = call.stream.out.try_receive()) answers.push_back(*answer);
    return answers;
  }
  codec::MessagePtr ask_one(const std::string& question) {
    codec::MessagePtr message(*info().reply_type);
    const Names answers = ask({question});
    EXPECT_EQ(answers.size(), 1U);
    const auto done = test_json().unmarshal(answers.at(0), message.get());
    EXPECT_TRUE(done) << done.error().to_string();
    return message;
  }
  // Names of the files in the answer, or its error.
  Names files(const std::string& question) {
    const auto bytes = reflection::files_in(ask_one(question).get());
    if (!bytes) return {bytes.error().to_string()};
    Names names;
    for (const std::string& file : *bytes) {
      FileDescriptorProto proto;
      EXPECT_TRUE(proto.ParseFromString(file));
      names.push_back(proto.name());
    }
    return names;
  }

  Loop loop_;
  Health health_;
  std::vector<Endpoint> endpoints_;
  std::shared_ptr<Handler> service_;
};

INSTANTIATE_TEST_SUITE_P(Versions, ReflectionTest, testing::Values("v1", "v1alpha"));

TEST_P(ReflectionTest, ListsEveryServiceOnceItselfIncluded) {
  EXPECT_EQ(*reflection::services_in(ask_one(R"({"listServices":""})").get()),
            (Names{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
                   "shop.Shop"}));
}

TEST_P(ReflectionTest, FindsFilesByWhatIsInThem) {
  const Names service{"shop_service.proto", "shop_messages.proto"};
  const Names messages{"shop_messages.proto"};
  const std::pair<std::string, Names> cases[] = {
      {R"({"fileContainingSymbol":"shop.Shop"})", service},
      {R"({"fileContainingSymbol":"shop.Shop.Buy"})", service},
      {R"({"fileContainingSymbol":"shop.messages.Order"})", messages},
      {R"({"fileContainingSymbol":"shop.messages.Order.Line"})", messages},
      {R"({"fileContainingSymbol":"shop.messages.Order.Line.article"})", messages},
      {R"({"fileContainingSymbol":"shop.messages.Order.Size"})", messages},
      {R"({"fileContainingSymbol":"shop.messages.Order.LARGE"})", messages},
      {R"({"fileContainingSymbol":"shop.messages.gift_note"})", messages},
      {R"({"fileContainingSymbol":"grpc.health.v1.Health"})", {"grpc/health/v1/health.proto"}},
      {R"({"fileContainingSymbol":"grpc.reflection.v1.ServerReflection"})", {"grpc/reflection/v1/reflection.proto"}},
      {R"({"fileContainingSymbol":"unlisted.Payload"})", {"unlisted.proto", "shop_messages.proto"}},
      {R"({"fileByFilename":"shop_service.proto"})", service},
      {R"({"fileByFilename":"shop_messages.proto"})", messages},
      {R"({"fileByFilename":"grpc/reflection/v1alpha/reflection.proto"})", {"grpc/reflection/v1alpha/reflection.proto"}},
      {R"({"fileByFilename":"google/protobuf/timestamp.proto"})", {"google/protobuf/timestamp.proto"}},
      {R"({"fileContainingExtension":{"containingType":"shop.messages.Order","extensionNumber":101}})", messages},
      {R"({"fileContainingExtension":{"containingType":"shop.messages.Order","extensionNumber":150}})",
       {"unlisted.proto", "shop_messages.proto"}},
  };
  for (const auto& [question, expected] : cases) EXPECT_EQ(files(question), expected) << question;
}

TEST_P(ReflectionTest, WhatIsNotThereIsAnAnswerAndTheStreamGoesOn) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"fileContainingSymbol":"shop.Shoppe"})",
       R"("errorResponse":{"errorCode":5,"errorMessage":"no symbol \"shop.Shoppe\" here; list_services names the services"})"},
      {R"({"fileContainingSymbol":""})", R"("errorResponse":{"errorCode":5,)"},
      {R"({"fileByFilename":"nothing.proto"})",
       R"("errorResponse":{"errorCode":5,"errorMessage":"no file \"nothing.proto\" here"})"},
      {R"({"fileContainingExtension":{"containingType":"shop.messages.Order","extensionNumber":199}})",
       R"("errorResponse":{"errorCode":5,"errorMessage":"message \"shop.messages.Order\" has no extension 199 here"})"},
      {R"({"fileContainingExtension":{"containingType":"Nothing","extensionNumber":1}})", R"("errorResponse":{"errorCode":5,)"},
      {R"({"fileContainingExtension":{}})", R"("errorResponse":{"errorCode":5,)"},
      {R"({"allExtensionNumbersOfType":"shop.messages.Nothing"})",
       R"("errorResponse":{"errorCode":5,"errorMessage":"no message \"shop.messages.Nothing\" here"})"},
      {R"({})", R"("errorResponse":{"errorCode":3,"errorMessage":"a reflection request must set one field of message_request"})"},
  };
  Names questions;
  for (const auto& [question, error] : cases) questions.push_back(question);
  questions.push_back(R"({"fileContainingSymbol":"shop.Shop"})");
  const Names answers = ask(questions);
  ASSERT_EQ(answers.size(), questions.size());
  for (std::size_t i = 0; i < std::size(cases); ++i) EXPECT_THAT(answers[i], testing::HasSubstr(cases[i].second));
  EXPECT_THAT(answers.back(), testing::HasSubstr(R"("fileDescriptorResponse")"));
}

TEST_P(ReflectionTest, ListsExtensionNumbersSorted) {
  const Names answers =
      ask({R"({"allExtensionNumbersOfType":"shop.messages.Order"})", R"({"allExtensionNumbersOfType":"shop.messages.Receipt"})"});
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_THAT(answers[0],
              testing::HasSubstr(
                  R"("allExtensionNumbersResponse":{"baseTypeName":"shop.messages.Order","extensionNumber":[101,120,150]})"));
  EXPECT_THAT(answers[1], testing::HasSubstr(
                              R"("allExtensionNumbersResponse":{"baseTypeName":"shop.messages.Receipt","extensionNumber":[]})"));
}

TEST_P(ReflectionTest, RepeatsHostAndQuestion) {
  const Names answers = ask({R"({"host":"a.example","fileByFilename":"x"})"});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_THAT(answers[0],
              testing::StartsWith(
                  R"({"validHost":"a.example","originalRequest":{"host":"a.example","fileByFilename":"x"},"errorResponse":)"));
}

// What a client does: all files of all services make types that can be used.
TEST_P(ReflectionTest, WhatIsServedIsComplete) {
  Names all;
  for (const std::string& service : *reflection::services_in(ask_one(R"({"listServices":"*"})").get())) {
    const auto served = reflection::files_in(ask_one(R"({"fileContainingSymbol":")" + service + "\"}").get());
    ASSERT_TRUE(served);
    all.insert(all.end(), served->begin(), served->end());
  }
  const auto types = codec::DynamicTypes::create(all);
  ASSERT_TRUE(types) << types.error().to_string();
  for (const Endpoint& endpoint : endpoints_) {
    const auto method = types->find_method(endpoint.service, endpoint.method);
    ASSERT_TRUE(method) << method.error().to_string();
    EXPECT_EQ((*method)->input->schema(), endpoint.request_type->schema());
    EXPECT_EQ((*method)->output->schema(), endpoint.reply_type->schema());
    EXPECT_EQ((*method)->server_streaming,
              endpoint.kind == MethodKind::kServerStream || endpoint.kind == MethodKind::kBidiStream);
  }
}

TEST_P(ReflectionTest, EndsWithItsStream) {
  auto scenario = [&](FakeCall& call) -> Task<Reply> {
    call.start();
    co_await loop_.yield();
    EXPECT_FALSE(call.has_ended());
    call.context.cancel(cancelled("the caller went away"));
    co_return co_await call.end();
  };
  FakeCall waiting(info());
  EXPECT_EQ(block_on(loop_, scenario(waiting)).error().message(), "the caller went away");

  FakeCall broken(info());
  broken.stream.in.try_send("{");
  EXPECT_EQ(block_on(loop_, broken.run()).error().code(), Code::kInvalidArgument);

  FakeCall gone(info());
  gone.stream.refuse = true;
  gone.stream.in.try_send(R"({"listServices":""})");
  EXPECT_EQ(block_on(loop_, gone.run()).error().message(), "the peer is gone");
}

TEST_P(ReflectionTest, ClientsBuildQuestionsAndSeeErrors) {
  const auto version = GetParam() == "v1" ? reflection::Version::kV1 : reflection::Version::kV1Alpha;
  const reflection::Protocol& protocol = reflection::protocol(version);
  EXPECT_EQ(protocol.service, info().service);
  EXPECT_EQ(protocol.request, info().request_type);
  const codec::MessagePtr request(*protocol.request);
  reflection::ask_services(request.get());
  EXPECT_EQ(to_json(request.get()), R"({"host":"","listServices":"*"})");
  reflection::ask_file_with_symbol(request.get(), "a.B");
  EXPECT_EQ(to_json(request.get()), R"({"host":"","fileContainingSymbol":"a.B"})");
  reflection::ask_file(request.get(), "a.proto");
  EXPECT_EQ(to_json(request.get()), R"({"host":"","fileByFilename":"a.proto"})");

  EXPECT_EQ(files(R"({"fileByFilename":"x"})"), Names{R"(NOT_FOUND: no file "x" here)"});
  const auto mixed = reflection::services_in(ask_one(R"({"fileContainingSymbol":"shop.Shop"})").get());
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().code(), Code::kInternal);
  const codec::MessagePtr empty(*protocol.response);
  EXPECT_EQ(reflection::files_in(empty.get()).error().message(),
            "the reflection service answered nothing where file_descriptor_response was asked for");
}

}  // namespace
}  // namespace micro::rpc
