#include <micro/mucp/body.hpp>

#include <gtest/gtest.h>

namespace micro::mucp {
namespace {

using namespace std::string_literals;

std::string request(Format format, const RequestEnvelope& envelope, std::string_view payload) {
  Buffer out;
  write_request(format, envelope, payload, out);
  return std::string(out.view());
}

std::string reply(Format format, const ReplyEnvelope& envelope, std::string_view payload) {
  Buffer out;
  write_reply(format, envelope, payload, out);
  return std::string(out.view());
}

TEST(Format, ModernTable) {
  EXPECT_EQ(find_format("application/json", false), Format::kJson);
  EXPECT_EQ(find_format("application/protobuf", false), Format::kProto);
  EXPECT_EQ(find_format("application/octet-stream", false), Format::kBytes);
  EXPECT_EQ(find_format("application/json-rpc", false), Format::kJsonRpc);
  EXPECT_EQ(find_format("application/proto-rpc", false), Format::kProtoRpc);
  EXPECT_EQ(find_format("application/grpc", false), Format::kGrpcProto);
  EXPECT_EQ(find_format("application/grpc+proto", false), Format::kGrpcProto);
  EXPECT_EQ(find_format("application/grpc+json", false), Format::kGrpcJson);
  EXPECT_EQ(find_format("", false), Format::kProto);
}

TEST(Format, LegacyTable) {
  EXPECT_EQ(find_format("application/json", true), Format::kJsonRpc);
  EXPECT_EQ(find_format("application/protobuf", true), Format::kProtoRpc);
  EXPECT_EQ(find_format("application/octet-stream", true), Format::kProtoRpc);
  EXPECT_EQ(find_format("application/json-rpc", true), Format::kJsonRpc);
  EXPECT_EQ(find_format("application/proto-rpc", true), Format::kProtoRpc);
  EXPECT_EQ(find_format("application/grpc", true), std::nullopt);
}

TEST(Format, IsMatchedAsItStands) {
  EXPECT_EQ(find_format("application/json; charset=utf-8", false), std::nullopt);
  EXPECT_EQ(find_format("Application/JSON", false), std::nullopt);
  EXPECT_EQ(find_format("text/plain", false), std::nullopt);
}

TEST(Format, WhatClientsSayToNodesWithoutAProtocol) {
  EXPECT_EQ(legacy_content_type("application/json"), "application/json-rpc");
  EXPECT_EQ(legacy_content_type("application/protobuf"), "application/proto-rpc");
  EXPECT_EQ(legacy_content_type("application/octet-stream"), "application/octet-stream");
}

TEST(Body, Json) {
  EXPECT_EQ(request(Format::kJson, {}, R"({"name":"B"})"), "{\"name\":\"B\"}\n");
  EXPECT_EQ(reply(Format::kJson, {}, R"({"msg":"Hi B"})"), "{\"msg\":\"Hi B\"}\n");
  RequestEnvelope envelope;
  EXPECT_EQ(read_request(Format::kJson, "{\"name\":\"B\"}\n", envelope), R"({"name":"B"})");
  EXPECT_EQ(read_request(Format::kJson, " {\"a\":\"}\\\"{\"} {\"b\":1} rest", envelope), R"({"a":"}\"{"})")
      << "the first value counts";
  EXPECT_EQ(read_request(Format::kJson, "null\n", envelope), "");
  EXPECT_EQ(read_request(Format::kJson, "", envelope), "");
  EXPECT_FALSE(read_request(Format::kJson, "{\"name\":", envelope));
}

TEST(Body, ProtoAndBytesAreThePayload) {
  const std::string payload =
      "\x0a\x01"
      "B";
  RequestEnvelope envelope;
  for (const Format format : {Format::kProto, Format::kBytes}) {
    EXPECT_EQ(request(format, {}, payload), payload);
    EXPECT_EQ(reply(format, {}, payload), payload);
    EXPECT_EQ(read_request(format, payload, envelope), payload);
  }
}

TEST(Body, JsonRpc) {
  const std::string bytes = "{\"params\":[{\"name\":\"B\"}],\"id\":\"4\",\"method\":\"Greeter.Hello\"}\n";
  EXPECT_EQ(request(Format::kJsonRpc, {"4", "Greeter.Hello"}, R"({"name":"B"})"), bytes);
  RequestEnvelope envelope;
  EXPECT_EQ(read_request(Format::kJsonRpc, bytes, envelope), R"({"name":"B"})");
  EXPECT_EQ(envelope.id, "4");
  EXPECT_EQ(envelope.method, "Greeter.Hello");

  EXPECT_EQ(reply(Format::kJsonRpc, {"7", ""}, R"({"msg":"Hi"})"), "{\"id\":\"7\",\"result\":{\"msg\":\"Hi\"},\"error\":null}\n");
  EXPECT_EQ(reply(Format::kJsonRpc, {"7", "boom"}, "{}"), "{\"id\":\"\",\"result\":null,\"error\":\"boom\"}\n")
      << "errors have no id";
  EXPECT_EQ(reply(Format::kJsonRpc, {"7", "EOS"}, ""), "{\"id\":\"\",\"result\":null,\"error\":\"EOS\"}\n");
}

TEST(Body, JsonRpcIdsOfAnyScalar) {
  RequestEnvelope envelope;
  EXPECT_EQ(read_request(Format::kJsonRpc, R"({"id":7,"method":"Greeter.Hello","params":[{"name":"x"}]})", envelope),
            R"({"name":"x"})");
  EXPECT_EQ(envelope.id, "7");
  EXPECT_EQ(read_request(Format::kJsonRpc, R"({"id":null,"method":"A.B"})", envelope), "");
  EXPECT_EQ(envelope.id, "");
  EXPECT_EQ(read_request(Format::kJsonRpc, R"({"id":true,"method":"A.B","params":[null]})", envelope), "");
  EXPECT_EQ(envelope.id, "true");
  EXPECT_FALSE(read_request(Format::kJsonRpc, R"([1])", envelope));
  EXPECT_FALSE(read_request(Format::kJsonRpc, R"({"method":"A.B","params":{}})", envelope));
}

TEST(Body, JsonRpcReplies) {
  ReplyEnvelope envelope;
  EXPECT_EQ(read_reply(Format::kJsonRpc, "{\"id\":\"7\",\"result\":{\"msg\":\"Hi\"},\"error\":null}\n", envelope),
            R"({"msg":"Hi"})");
  EXPECT_EQ(envelope.error, "");
  EXPECT_EQ(read_reply(Format::kJsonRpc, R"({"id":"","result":null,"error":"{\"code\":404}"})", envelope), "");
  EXPECT_EQ(envelope.error, R"({"code":404})");
}

TEST(Body, ProtoRpc) {
  // Request{service_method = 1 "Greeter.Hello", seq = 2 fixed64}
  const std::string bytes =
      "\0\0\0\x18\x0a\x0dGreeter.Hello\x11\x04\0\0\0\0\0\0\0\0\0\0\x03\x0a\x01"
      "B"s;
  EXPECT_EQ(request(Format::kProtoRpc, {"4", "Greeter.Hello"},
                    "\x0a\x01"
                    "B"),
            bytes);
  RequestEnvelope envelope;
  EXPECT_EQ(read_request(Format::kProtoRpc, bytes, envelope),
            "\x0a\x01"
            "B");
  EXPECT_EQ(envelope.id, "4");
  EXPECT_EQ(envelope.method, "Greeter.Hello");

  EXPECT_EQ(reply(Format::kProtoRpc, {"4", ""},
                  "\x0a\x01"
                  "B"),
            "\0\0\0\x09\x11\x04\0\0\0\0\0\0\0\0\0\0\x03\x0a\x01"
            "B"s);
  EXPECT_EQ(reply(Format::kProtoRpc, {"", "boom"}, "x"),
            "\0\0\0\x06\x1a\x04"
            "boom\0\0\0\0"s)
      << "and a second part without bytes";
  EXPECT_EQ(reply(Format::kProtoRpc, {"not a number", ""}, ""), "\0\0\0\0\0\0\0\0"s);

  ReplyEnvelope answer;
  EXPECT_EQ(read_reply(Format::kProtoRpc,
                       "\0\0\0\x06\x1a\x04"
                       "boom\0\0\0\0"s,
                       answer),
            "");
  EXPECT_EQ(answer.error, "boom");
  for (const std::string& broken : {"\0\0\0"s, "\0\0\0\x05xx"s, "\0\0\0\0\0\0"s, "\0\0\0\x01\x0a\0\0\0\0"s}) {
    EXPECT_FALSE(read_request(Format::kProtoRpc, broken, envelope));
  }
}

TEST(Body, GrpcFraming) {
  const std::string bytes =
      "\0\0\0\0\x03\x0a\x01"
      "B"s;
  EXPECT_EQ(request(Format::kGrpcProto, {},
                    "\x0a\x01"
                    "B"),
            bytes);
  RequestEnvelope envelope;
  EXPECT_EQ(read_request(Format::kGrpcProto, bytes, envelope),
            "\x0a\x01"
            "B");
  EXPECT_EQ(read_request(Format::kGrpcJson, "\0\0\0\0\x03{} "s, envelope), "{}");
  EXPECT_EQ(read_request(Format::kGrpcProto, "\0\0\0\0\0"s, envelope), "");
  EXPECT_FALSE(read_request(Format::kGrpcProto, "\x01\0\0\0\0"s, envelope)) << "compressed";
  EXPECT_FALSE(read_request(Format::kGrpcProto, "\0\0\0\0\x05x"s, envelope));
  EXPECT_FALSE(read_request(Format::kGrpcProto, "\0\0"s, envelope));
  EXPECT_EQ(reply(Format::kGrpcProto, {"1", ""}, ""), "\0\0\0\0\0"s);
}

TEST(Body, ErrorsAreInTheHeaderAlone) {
  for (const Format format : {Format::kJson, Format::kProto, Format::kBytes, Format::kGrpcProto, Format::kGrpcJson}) {
    EXPECT_EQ(reply(format, {"1", "boom"}, "{}"), "");
  }
}

}  // namespace
}  // namespace micro::mucp
