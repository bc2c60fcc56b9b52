#include <micro/codecs/json_codec.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everything.pb.h"
#include "legacy.pb.h"
#include "test_support.hpp"

namespace micro::codec {
namespace {

using namespace ::codecs::test;

TEST(JsonOptions, EmitZeroValues) {
  const JsonOptions options{.emit_zero_values = true};
  EXPECT_EQ(to_json(Scalars(), options),
            R"({"anInt32":0,"anInt64":"0","aUint32":0,"aUint64":"0","aSint32":0,"aSint64":"0","aFixed32":0,"aFixed64":"0",)"
            R"("aSfixed32":0,"aSfixed64":"0","aFloat":0,"aDouble":0,"aBool":false,"aString":"","aBytes":"",)"
            R"("color":"COLOR_UNSPECIFIED","other\"Name":""})");
  EXPECT_EQ(to_json(User(), options), R"({"displayName":"","tags":[]})");
  EXPECT_EQ(to_json(Maps(), options), R"({"texts":{},"int32s":{},"int64s":{},"uint32s":{},"uint64s":{},"bools":{},"tags":{}})");
  EXPECT_EQ(to_json(Choice(), options), "{}");
  EXPECT_EQ(to_json(parse_text<Legacy>("name: 'n'"), options), R"({"name":"n","several":[]})");
}

TEST(JsonOptions, Int64AsNumber) {
  const JsonOptions options{.int64_as_string = false};
  EXPECT_EQ(to_json(parse_text<Scalars>("an_int64: -5 a_uint64: 6"), options), R"({"anInt64":-5,"aUint64":6})");
  EXPECT_EQ(to_json(parse_text<WellKnownTypes>("an_int64 { value: 7 }"), options), R"({"anInt64":7})");
}

TEST(JsonOptions, EnumAsNumber) {
  const JsonOptions options{.enum_as_number = true};
  EXPECT_EQ(to_json(parse_text<Scalars>("color: GREEN"), options), R"({"color":2})");
  EXPECT_EQ(to_json(parse_text<Choice>("nothing: NULL_VALUE"), options), R"({"nothing":null})");
}

TEST(JsonOptions, ProtoFieldNames) {
  const JsonOptions options{.proto_field_names = true};
  EXPECT_EQ(to_json(parse_text<User>("display_name: 'x' address { street_name: 'y' }"), options),
            R"({"display_name":"x","address":{"street_name":"y"}})");
  EXPECT_EQ(to_json(parse_text<Scalars>("renamed: 'x'"), options), R"({"renamed":"x"})");
  EXPECT_EQ(from_json<User>(R"({"displayName":7})", options),
            R"(error: JSON for codecs.test.User: line 1, column 16: field "display_name": expected a string, found number 7)");
}

TEST(JsonOptions, IgnoreUnknownFields) {
  const JsonOptions options{.ignore_unknown_fields = true};
  EXPECT_EQ(from_json<Tag>(R"({"x":{"y":[1,-2.5e3,"z",true,false,null,{}]},"name":"n","w":[],"v":"\u00e9é"})", options),
            R"(name: "n")");
  EXPECT_EQ(from_json<Tag>(R"({"color":"PURPLE","name":"n"})", options), R"(name: "n")");
  EXPECT_EQ(from_json<Lists>(R"({"colors":["RED","PURPLE","GREEN"]})", options), "colors: RED colors: GREEN");
  EXPECT_EQ(from_json<Maps>(R"({"bools":{"true":"PURPLE","false":"RED"}})", options), "bools { key: false value: RED }");
  EXPECT_EQ(from_json<Legacy>(R"({"name":"n","closed":9,"several":[1,9,2]})", options),
            R"(name: "n" several: FIRST several: SECOND)");
  // What is skipped must be JSON all the same.
  for (const char* text :
       {R"({"x":tru})", R"({"x":[1 2]})", R"({"x":{"a"}})", R"({"x":01})", "{\"x\":\"\xff\"}", R"({"x":{a:1}})", R"({"x":})"}) {
    EXPECT_TRUE(from_json<Tag>(text, options).starts_with("error: ")) << text;
  }
}

TEST(JsonOptions, Pretty) {
  const JsonOptions options{.pretty = true};
  const auto user = parse_text<User>("display_name: 'x' tags { name: 'a' } tags { } address { floors { key: 'k' value: 1 } }");
  const std::string json = to_json(user, options);
  EXPECT_EQ(json, R"({
  "displayName": "x",
  "tags": [
    {
      "name": "a"
    },
    {}
  ],
  "address": {
    "floors": {
      "k": 1
    }
  }
})");
  User back;
  ASSERT_TRUE(JsonCodec().unmarshal(json, ref(back)));
  EXPECT_EQ(back.SerializeAsString(), user.SerializeAsString());
  EXPECT_EQ(to_json(User(), options), "{}");
}

TEST(JsonMarshal, RefusesWhatHasNoJsonForm) {
  const std::string kWellKnown = "codecs.test.WellKnownTypes as JSON: field \"";
  User bad_text;
  bad_text.add_tags();
  bad_text.add_tags()->set_name("a\xff");
  Maps bad_key;
  (*bad_key.mutable_texts())["\xc0"] = "x";
  Legacy extended = parse_text<Legacy>("name: 'n' [codecs.test.nickname]: 'x'");
  const std::pair<std::string, std::string> cases[] = {
      {to_json(bad_text),
       R"(codecs.test.User as JSON: field "tags[1].name": invalid UTF-8 in "a\xff"; use a bytes field for what is not text)"},
      {to_json(bad_key),
       R"(codecs.test.Maps as JSON: field "texts["\xc0"]": invalid UTF-8 in "\xc0"; use a bytes field for what is not text)"},
      {to_json(extended), R"(codecs.test.Legacy as JSON: field "[codecs.test.nickname]": extensions have no JSON form here)"},
      {to_json(Legacy()), "codecs.test.Legacy as JSON: required fields are missing: name"},
      {to_json(parse_text<WellKnownTypes>("time { seconds: 253402300800 }")),
       kWellKnown + R"(time": 253402300800 seconds and 0 nanos are no timestamp of the years 1 to 9999)"},
      {to_json(parse_text<WellKnownTypes>("time { nanos: -1 }")),
       kWellKnown + R"(time": 0 seconds and -1 nanos are no timestamp of the years 1 to 9999)"},
      {to_json(parse_text<WellKnownTypes>("span { seconds: 1 nanos: -1 }")),
       kWellKnown + R"(span": 1 seconds and -1 nanos are no duration of at most 10000 years with one sign)"},
      {to_json(parse_text<WellKnownTypes>("mask { paths: 'fooBar' }")),
       kWellKnown + R"(mask": the path "fooBar" has no JSON form; paths are made of snake_case names)"},
      {to_json(parse_text<WellKnownTypes>("mask { paths: 'a__b' }")),
       kWellKnown + R"(mask": the path "a__b" has no JSON form; paths are made of snake_case names)"},
      {to_json(parse_text<WellKnownTypes>("values { number_value: nan }")),
       kWellKnown + R"(values[0]": a google.protobuf.Value cannot hold NaN or Infinity in JSON)"},
      {to_json(parse_text<WellKnownTypes>("any { type_url: 'x/a.B' value: 'x' }")),
       kWellKnown + R"(any": it holds a message of type "x/a.B", which is not known here)"},
      {to_json(parse_text<WellKnownTypes>("any { type_url: 'x/codecs.test.Tag' value: '\\377' }")),
       kWellKnown + R"(any": its content is not a valid codecs.test.Tag)"},
  };
  for (const auto& [got, expected] : cases) EXPECT_EQ(got, "error: cannot write " + expected);
}

TEST(JsonMarshal, LeavesTheBufferAsItWas) {
  User user;
  user.set_display_name("fine");
  user.add_tags()->set_name("\xff");
  Buffer out;
  out.append("before");
  const auto written = JsonCodec().marshal(ref(user), out);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Code::kInternal);
  EXPECT_EQ(*written.error().find("field"), "tags[0].name");
  EXPECT_EQ(out.view(), "before");
}

TEST(JsonMarshal, LimitsDepth) {
  Tree tree;
  Tree* at = &tree;
  for (int i = 0; i < 19; ++i) at = at->mutable_left();
  EXPECT_TRUE(to_json(tree, {.max_depth = 20}).starts_with("{\"left\":"));
  at->mutable_left();
  EXPECT_THAT(to_json(tree, {.max_depth = 20}), testing::HasSubstr("nested deeper than 20 levels"));
}

TEST(JsonMarshal, AValueNobodySetIsNull) { EXPECT_EQ(to_json(parse_text<WellKnownTypes>("value { }")), R"({"value":null})"); }

}  // namespace
}  // namespace micro::codec
