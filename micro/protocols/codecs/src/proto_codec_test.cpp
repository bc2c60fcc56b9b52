#include <micro/codecs/proto_codec.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everything.pb.h"
#include "greeter.pb.h"
#include "legacy.pb.h"
#include "test_support.hpp"

namespace micro::codec {
namespace {

using namespace ::codecs::test;
using namespace std::string_literals;
using google::protobuf::Message;

TEST(ProtoCodec, WritesWhatProtobufWrites) {
  const auto user = parse_text<User>("display_name: 'x' tags { name: 'a' color: RED } address { floors { key: 'k' value: 1 } }");
  Buffer out;
  ASSERT_TRUE(ProtoCodec().marshal(ref(user), out));
  EXPECT_EQ(out.view(), user.SerializeAsString());
  User back;
  ASSERT_TRUE(ProtoCodec().unmarshal(out.view(), ref(back)));
  EXPECT_EQ(back.SerializeAsString(), user.SerializeAsString());
}

TEST(ProtoCodec, WritesLargeMessages) {
  HelloReply reply;
  reply.set_padding(std::string(3'000'000, 'x'));
  Buffer out;
  out.append("before");
  ASSERT_TRUE(ProtoCodec().marshal(ref(reply), out));
  EXPECT_EQ(out.view().substr(6), reply.SerializeAsString());
}

TEST(ProtoCodec, RefusesMissingRequiredFields) {
  Buffer out;
  const auto written = ProtoCodec().marshal(ref(parse_text<Legacy>("next { }")), out);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Code::kInternal);
  EXPECT_EQ(written.error().message(),
            "cannot write codecs.test.Legacy as protobuf: required fields are missing: name, next.name");
  EXPECT_TRUE(out.empty());

  Legacy legacy;
  const auto read = ProtoCodec().unmarshal("\x10\x01", ref(legacy));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(read.error().message(), "protobuf for codecs.test.Legacy: required fields are missing: name");
  EXPECT_EQ(*read.error().find("field"), "name");
}

struct Bad {
  const Message* type;
  std::string bytes;
  std::string field;
  std::string text;
};

std::ostream& operator<<(std::ostream& out, const Bad& bad) { return out << bad.text; }

class ProtoRefuses : public testing::TestWithParam<Bad> {};

TEST_P(ProtoRefuses, WithTheFieldAndTheByte) {
  const auto& [type, bytes, field, text] = GetParam();
  const std::unique_ptr<Message> message(type->New());
  const auto read = ProtoCodec().unmarshal(bytes, ref(*message));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(read.error().message(), "protobuf for " + type->GetDescriptor()->full_name() + ": " + text);
  const std::string* found = read.error().find("field");
  EXPECT_EQ(found != nullptr ? *found : "", field);
}

std::string deep_tree(int levels) {
  std::string bytes;
  for (int i = 0; i < levels; ++i) {
    std::string outer = "\x12";
    for (std::size_t n = bytes.size(); outer.size() < 10; n >>= 7) {
      outer.push_back(static_cast<char>(n < 0x80 ? n : (n & 0x7f) | 0x80));
      if (n < 0x80) break;
    }
    bytes = outer + bytes;
  }
  return bytes;
}

INSTANTIATE_TEST_SUITE_P(
    Bytes, ProtoRefuses,
    testing::Values(Bad{&HelloRequest::default_instance(), "\x0a\x05John", "name",
                        R"(byte 2: field "name": cut off: 5 bytes should follow, there are 4)"},
                    Bad{&HelloRequest::default_instance(), "\x0a", "name", R"(byte 1: field "name": cut off inside a number)"},
                    Bad{&HelloRequest::default_instance(),
                        "\x0a\x03"
                        "a\xff"
                        "b",
                        "name", R"(byte 3: field "name": invalid UTF-8 in a string)"},
                    Bad{&HelloRequest::default_instance(), "\x02\x01x", "", "byte 0: not a field: its number would be 0"},
                    Bad{&HelloRequest::default_instance(), "\x0f", "name", R"(byte 0: field "name": wire type 7 does not exist)"},
                    Bad{&HelloRequest::default_instance(), "\x14", "", "byte 0: the end of a group that was not started"},
                    Bad{&HelloRequest::default_instance(), "\x13\x08\x01", "", "byte 3: the end of a group is missing"},
                    Bad{&HelloRequest::default_instance(), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "",
                        "byte 0: a number longer than 10 bytes"},
                    Bad{&User::default_instance(), "\x12\x03\x0a\x01\xfe", "tags.name",
                        R"(byte 4: field "tags.name": invalid UTF-8 in a string)"},
                    Bad{&User::default_instance(), "\x12\x03\x0a\x07x", "tags.name",
                        R"(byte 4: field "tags.name": cut off: 7 bytes should follow, there are 1)"},
                    Bad{&Scalars::default_instance(), "\x3d\x01\x02"s, "a_fixed32",
                        R"(byte 1: field "a_fixed32": cut off: 4 bytes should follow, there are 2)"}));

TEST(ProtoCodec, RefusesDeepNesting) {
  Tree tree;
  EXPECT_TRUE(ProtoCodec().unmarshal(deep_tree(90), ref(tree)));
  const auto read = ProtoCodec().unmarshal(deep_tree(200), ref(tree));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message(), testing::HasSubstr("nested deeper than 100 messages"));
}

}  // namespace
}  // namespace micro::codec
