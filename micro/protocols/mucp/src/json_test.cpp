#include <micro/mucp/json.hpp>

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/type.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <micro/codecs/protobuf.hpp>

namespace micro::mucp {
namespace {

using google::protobuf::Field;
using google::protobuf::UninterpretedOption;

template <class M>
std::string write(const M& message) {
  const codec::JsonCodec codec(json_options());
  Buffer out;
  EXPECT_TRUE(codec.marshal(codec::ref(message), out));
  return std::string(out.view());
}

template <class M>
Result<void> read(std::string_view json, M& message) {
  const codec::JsonCodec codec(json_options());
  return codec.unmarshal(json, codec::ref(message));
}

UninterpretedOption numbers() {
  UninterpretedOption message;
  message.set_identifier_value("a");
  message.set_positive_int_value(9007199254740993u);
  message.set_negative_int_value(-5);
  message.set_string_value("\xff\xfe");
  return message;
}

Field field() {
  Field message;
  message.set_kind(Field::TYPE_INT64);
  message.set_type_url("x");
  message.set_number(7);
  return message;
}

TEST(GoJson, IsWrittenAsEncodingJsonWritesIt) {
  EXPECT_EQ(write(numbers()),
            R"({"identifier_value":"a","positive_int_value":9007199254740993,"negative_int_value":-5,"string_value":"//4="})");
  EXPECT_EQ(write(field()), R"({"kind":3,"number":7,"type_url":"x"})");
  EXPECT_EQ(write(Field()), "{}") << "nothing that is zero";
}

TEST(GoJson, IsReadByTheMappingOfProtobuf) {
  // What protojson and jsonpb implement, by the one implementation of it at hand.
  UninterpretedOption back;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(write(numbers()), &back).ok());
  EXPECT_EQ(back.SerializeAsString(), numbers().SerializeAsString());
  Field kind;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(write(field()), &kind).ok());
  EXPECT_EQ(kind.SerializeAsString(), field().SerializeAsString());
}

TEST(GoJson, BothDialectsAreRead) {
  for (const std::string_view json :
       {R"({"identifier_value":"a","positive_int_value":9007199254740993,"negative_int_value":-5,"string_value":"//4="})",
        R"({"identifierValue":"a","positiveIntValue":"9007199254740993","negativeIntValue":"-5","stringValue":"//4="})",
        R"({"identifierValue":"a", "positive_int_value":"9007199254740993", "negativeIntValue":-5, "stringValue":"//4"})"}) {
    UninterpretedOption message;
    const Result<void> done = read(json, message);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(message.SerializeAsString(), numbers().SerializeAsString()) << json;
  }
  for (const std::string_view json :
       {R"({"kind":3,"number":7,"type_url":"x"})", R"({"kind":"TYPE_INT64","number":7,"typeUrl":"x"})",
        R"({"kind":"TYPE_INT64","number":7,"typeUrl":"x","options":null})"}) {
    Field message;
    const Result<void> done = read(json, message);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(message.SerializeAsString(), field().SerializeAsString()) << json;
  }
}

TEST(GoJson, UnknownFieldsAreRefusedAsInGo) {
  Field message;
  const Result<void> done = read(R"({"zz":1})", message);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace micro::mucp
