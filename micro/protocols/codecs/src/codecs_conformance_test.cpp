#include <micro/codec/conformance.hpp>

#include <micro/codec/table.hpp>
#include <micro/codecs/bytes.hpp>
#include <micro/codecs/install.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/proto_codec.hpp>
#include <micro/codecs/protobuf.hpp>

#include "everything.pb.h"
#include "greeter.pb.h"

namespace micro::codec::conformance {
namespace {

using ::codecs::test::HelloRequest;
using ::codecs::test::Maps;
using ::codecs::test::User;
using ::codecs::test::WellKnownTypes;

std::vector<Sample> good_json() {
  return {
      {&message_type<HelloRequest>(), R"({"name":"John"})"},
      {&message_type<HelloRequest>(), R"({})"},
      {&message_type<HelloRequest>(), R"({"name":"Zoë \"é\" 😀\n"})"},
      {&message_type<User>(),
       R"({"displayName":"x","tags":[{"name":"a","color":"RED"},{}],"address":{"floors":{"a":1,"b":-2}}})"},
      {&message_type<Maps>(), R"({"int32s":{"-1":5,"10":6},"bools":{"false":"RED","true":"GREEN"}})"},
      {&message_type<WellKnownTypes>(),
       R"({"any":{"@type":"type.googleapis.com/codecs.test.HelloRequest","name":"x"},"time":"1970-01-01T00:00:01.500Z",)"
       R"("span":"-1.500s","mask":"a.bC","value":[1,"x",null,true,{"a":{}}],"anInt64":"5"})"},
      {&bytes_type(), R"({"any":"thing"})"},
  };
}

std::vector<Sample> bad_json() {
  std::vector<Sample> bad;
  for (const char* text :
       {"", " ", "{", "[]", "{\"name\":1}", "{\"name\":\"x\",}", "{\"name\":\"x\"}}", "{'name':\"x\"}", "{name:\"x\"}",
        "{\"nick\":\"x\"}", "{\"name\":\"\xff\"}", "{\"name\":\"\\ud800\"}", "null", "nul", "{\"name\" \"x\"}"}) {
    bad.push_back({&message_type<HelloRequest>(), text});
  }
  bad.push_back({&message_type<HelloRequest>(), std::string("{\"name\":\"x\"}\0", 13)});
  bad.push_back({&message_type<HelloRequest>(), std::string("\0", 1)});
  return bad;
}

std::vector<Sample> good_proto() {
  return {
      {&message_type<HelloRequest>(), "\x0a\x04John"},
      {&message_type<HelloRequest>(), ""},
      {&message_type<HelloRequest>(), "\x0a\x02\xc3\xa9"},
      {&message_type<User>(), "\x0a\x01x\x12\x05\x0a\x01y\x10\x01"},
      {&bytes_type(), "anything \xff"},
  };
}

std::vector<Sample> bad_proto() {
  std::vector<Sample> bad;
  for (const char* bytes :
       {"\x0a\x05John", "\x0a\x01\xff", "\x07", "\x0a", "\x0c", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x0b"}) {
    bad.push_back({&message_type<HelloRequest>(), bytes});
  }
  return bad;
}

INSTANTIATE_TEST_SUITE_P(Json, CodecConformance,
                         testing::Values(Subject{"json", [] { return std::make_unique<JsonCodec>(); }, good_json(), bad_json()}),
                         subject_name);
INSTANTIATE_TEST_SUITE_P(Proto, CodecConformance,
                         testing::Values(Subject{"proto", [] { return std::make_unique<ProtoCodec>(); }, good_proto(),
                                                 bad_proto()}),
                         subject_name);

TEST(Install, AddsBothCodecsOnce) {
  Table table;
  ASSERT_TRUE(install(table, {.emit_zero_values = true}));
  ASSERT_NE(table.find("proto"), nullptr);
  EXPECT_EQ(table.find_content_type("application/x-protobuf"), table.find("proto"));
  EXPECT_EQ(table.find_content_type("application/proto"), table.find("proto"));
  EXPECT_EQ(table.find_content_type("application/json; charset=utf-8"), table.find("json"));
  EXPECT_TRUE(dynamic_cast<const JsonCodec&>(*table.find("json")).options().emit_zero_values);
  const auto again = install(table);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kAlreadyExists);
}

}  // namespace
}  // namespace micro::codec::conformance
