// Input JsonCodec refuses, with the words it says so in.
#include <micro/codecs/json_codec.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everything.pb.h"
#include "greeter.pb.h"
#include "legacy.pb.h"
#include "test_support.hpp"

namespace micro::codec {
namespace {

using namespace ::codecs::test;
using google::protobuf::Message;

struct Bad {
  const Message* type;
  std::string json;
  std::string field;
  std::string text;  // after "JSON for <type>: "
};

std::ostream& operator<<(std::ostream& out, const Bad& bad) { return out << bad.json; }

class Refuses : public testing::TestWithParam<Bad> {};

TEST_P(Refuses, WithAClearError) {
  const auto& [type, json, field, text] = GetParam();
  const std::unique_ptr<Message> message(type->New());
  const auto read = JsonCodec().unmarshal(json, ref(*message));
  ASSERT_FALSE(read) << message->ShortDebugString();
  EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(read.error().reason(), "INVALID_JSON");
  EXPECT_EQ(read.error().message(), "JSON for " + type->GetDescriptor()->full_name() + ": " + text);
  const std::string* found = read.error().find("field");
  EXPECT_EQ(found != nullptr ? *found : "", field);
}

template <class M>
Bad bad(std::string json, std::string field, std::string text) {
  return {&M::default_instance(), std::move(json), std::move(field), std::move(text)};
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, Refuses,
    testing::Values(
        bad<HelloRequest>("", "", "line 1, column 1: expected an object, found the end of the input"),
        bad<HelloRequest>("null", "", "line 1, column 1: expected an object, found null"),
        bad<HelloRequest>("\n [1]", "", "line 2, column 2: expected an object, found an array"),
        bad<HelloRequest>(R"({"name": 7})", "name", R"(line 1, column 10: field "name": expected a string, found number 7)"),
        bad<HelloRequest>(R"({"name":"x")", "", R"(line 1, column 12: expected "," or "}", found the end of the input)"),
        bad<HelloRequest>(R"({"name":"x)", "name", R"(line 1, column 9: field "name": the string that starts here has no end)"),
        bad<HelloRequest>(R"({"name")", "", R"(line 1, column 8: expected ":", found the end of the input)"),
        bad<HelloRequest>(R"({"name":)", "name",
                          R"(line 1, column 9: field "name": expected a string, found the end of the input)"),
        bad<HelloRequest>(R"({"name":"x",})", "", R"(line 1, column 13: expected a field name in quotes, found "}")"),
        bad<HelloRequest>(R"({name:"x"})", "", R"(line 1, column 2: expected a field name in quotes, found "n")"),
        bad<HelloRequest>(R"({"name":"x" "name"})", "", R"(line 1, column 13: expected "," or "}", found string "name")"),
        bad<HelloRequest>(R"({"name":"x"} {})", "",
                          "line 1, column 14: unexpected text after the end of the JSON value: an object"),
        bad<HelloRequest>("{\"name\":\n \"a\xff\"}", "name", R"(line 2, column 4: field "name": invalid UTF-8: byte "\xff")"),
        bad<HelloRequest>("{\"name\":\"\xed\xa0\x80\"}", "name",
                          R"(line 1, column 10: field "name": invalid UTF-8: byte "\xed")"),
        bad<HelloRequest>("{\"name\":\"\xc0\xaf\"}", "name", R"(line 1, column 10: field "name": invalid UTF-8: byte "\xc0")"),
        bad<HelloRequest>("{\"name\":\"é\n\"}", "name",
                          R"(line 1, column 11: field "name": control character "\x0a" in a string; write it as an escape)"),
        bad<HelloRequest>(R"({"name":"\x"})", "name", R"(line 1, column 10: field "name": unknown escape in a string)"),
        bad<HelloRequest>(R"({"name":"\u12g4"})", "name",
                          R"(line 1, column 10: field "name": an escape \u needs four hexadecimal digits)"),
        bad<HelloRequest>(R"({"name":"\ud800x"})", "name", R"(line 1, column 10: field "name": half of a surrogate pair)"),
        bad<HelloRequest>(R"({"name":"\udc00"})", "name", R"(line 1, column 10: field "name": half of a surrogate pair)"),
        bad<HelloRequest>(R"({"name":"\ud800\u0041"})", "name", R"(line 1, column 10: field "name": half of a surrogate pair)"),
        bad<HelloRequest>("\xef\xbb\xbf{}", "", "line 1, column 1: expected an object, found \"\xef\xbb\xbf\""),
        bad<Scalars>(R"({"anInt32":01})", "anInt32", R"(line 1, column 12: field "anInt32": not a JSON number)"),
        bad<Scalars>(R"({"anInt32":-})", "anInt32", R"(line 1, column 12: field "anInt32": not a JSON number)"),
        bad<Scalars>(R"({"aDouble":1.})", "aDouble", R"(line 1, column 12: field "aDouble": not a JSON number)"),
        bad<Scalars>(R"({"aDouble":+1})", "aDouble", R"(line 1, column 12: field "aDouble": expected a number, found "+")"),
        bad<Scalars>(R"({"aDouble":NaN})", "aDouble", R"(line 1, column 12: field "aDouble": expected a number, found "N")"),
        bad<Scalars>(R"({"aBool":truth})", "aBool", R"(line 1, column 10: field "aBool": expected a value, found "t")")));

INSTANTIATE_TEST_SUITE_P(
    Names, Refuses,
    testing::Values(
        bad<User>(R"({"displayNmae":"x"})", "displayNmae",
                  R"(line 1, column 2: field "displayNmae": codecs.test.User has no such field; did you mean "displayName"?)"),
        bad<User>(R"({"DISPLAY_NAME":"x"})", "DISPLAY_NAME",
                  R"(line 1, column 2: field "DISPLAY_NAME": codecs.test.User has no such field; did you mean "displayName"?)"),
        bad<User>(
            R"({"zip":"x"})", "zip",
            R"(line 1, column 2: field "zip": codecs.test.User has no such field; known are "displayName", "tags", "address")"),
        bad<User>(R"({"address":{"street":"x","floor":{}}})", "address.street",
                  R"(line 1, column 13: field "address.street": codecs.test.User.Address has no such field; )"
                  R"(known are "streetName", "floors")"),
        bad<WellKnownTypes>(R"({"empty":{"x":1}})", "empty.x",
                            R"(line 1, column 11: field "empty.x": google.protobuf.Empty has no such field; there are none)"),
        bad<Legacy>(R"({"[codecs.test.nickname]":"x"})", "[codecs.test.nickname]",
                    R"(line 1, column 2: field "[codecs.test.nickname]": extensions have no JSON form here)"),
        bad<User>(R"({"displayName":"x","display_name":"y"})", "displayName",
                  R"(line 1, column 20: field "displayName": given twice)"),
        bad<User>(R"({"tags":[],"tags":[]})", "tags", R"(line 1, column 12: field "tags": given twice)"),
        bad<User>(R"({"tags":[{},{},{"name":7}]})", "tags[2].name",
                  R"(line 1, column 24: field "tags[2].name": expected a string, found number 7)"),
        bad<Account>(
            R"({"user":{"tags":[{},{"color":true}]}})", "user.tags[1].color",
            R"(line 1, column 30: field "user.tags[1].color": expected a name or number of enum codecs.test.Color, found true)"),
        bad<Account>(R"({"user":{"address":{"floors":{"top":"x"}}}})", "user.address.floors[\"top\"]",
                     R"(line 1, column 37: field "user.address.floors["top"]": expected an integer, found string "x")"),
        bad<Maps>(R"({"texts":{"a":"1","b":"2","a":"3"}})", "texts[\"a\"]",
                  R"(line 1, column 27: field "texts["a"]": given twice)"),
        bad<Choice>(R"({"text":"x","number":1})", "number",
                    R"(line 1, column 13: field "number": only one field of oneof "kind" may be given, and "text" is already)"),
        bad<Legacy>(R"({"count":1})", "name", R"(required field "name" is missing)"),
        bad<Legacy>(R"({"name":"x","next":{}})", "next.name", R"(required field "next.name" is missing)")));

INSTANTIATE_TEST_SUITE_P(
    Values, Refuses,
    testing::Values(
        bad<Scalars>(
            R"({"anInt32":2147483648})", "anInt32",
            R"(line 1, column 12: field "anInt32": number 2147483648 does not fit into int32 (-2147483648 to 2147483647))"),
        bad<Scalars>(
            R"({"anInt32":1e9999999999})", "anInt32",
            R"(line 1, column 12: field "anInt32": number 1e9999999999 does not fit into int32 (-2147483648 to 2147483647))"),
        bad<Scalars>(R"({"anInt64":"9223372036854775808"})", "anInt64",
                     "line 1, column 12: field \"anInt64\": number 9223372036854775808 does not fit into int64 "
                     "(-9223372036854775808 to 9223372036854775807)"),
        bad<Scalars>(R"({"aUint32":-1})", "aUint32",
                     R"(line 1, column 12: field "aUint32": number -1 does not fit into uint32 (0 to 4294967295))"),
        bad<Scalars>(R"({"anInt32":1.5})", "anInt32",
                     R"(line 1, column 12: field "anInt32": expected an integer, found number 1.5)"),
        bad<Scalars>(R"({"anInt32":"1 "})", "anInt32",
                     R"(line 1, column 12: field "anInt32": expected an integer, found string "1 ")"),
        bad<Scalars>(R"({"anInt32":""})", "anInt32",
                     R"(line 1, column 12: field "anInt32": expected an integer, found string "")"),
        bad<Scalars>(R"({"anInt32":true})", "anInt32", R"(line 1, column 12: field "anInt32": expected an integer, found true)"),
        bad<Scalars>(R"({"aDouble":1e400})", "aDouble",
                     R"(line 1, column 12: field "aDouble": number 1e400 does not fit into a double)"),
        bad<Scalars>(R"({"aFloat":3.5e38})", "aFloat",
                     R"(line 1, column 11: field "aFloat": number 3.5e38 does not fit into a float)"),
        bad<Scalars>(R"({"aDouble":"inf"})", "aDouble",
                     R"(line 1, column 12: field "aDouble": expected a number, found string "inf")"),
        bad<Scalars>(R"({"aBool":"true"})", "aBool",
                     R"(line 1, column 10: field "aBool": expected true or false, found string "true")"),
        bad<Scalars>(R"({"aBytes":"a"})", "aBytes", R"(line 1, column 11: field "aBytes": not base64: "a")"),
        bad<Scalars>(R"({"aBytes":"ab!d"})", "aBytes", R"(line 1, column 11: field "aBytes": not base64: "ab!d")"),
        bad<Scalars>(R"({"aBytes":"YQ="})", "aBytes", R"(line 1, column 11: field "aBytes": not base64: "YQ=")"),
        bad<Scalars>(R"({"color":"REED"})", "color",
                     R"(line 1, column 10: field "color": enum codecs.test.Color has no value "REED"; did you mean "RED"?)"),
        bad<Legacy>(R"({"name":"x","closed":3})", "closed",
                    R"(line 1, column 22: field "closed": enum codecs.test.Closed has no value with number 3)"),
        bad<Lists>(R"({"int32s":1})", "int32s", R"(line 1, column 11: field "int32s": expected an array, found number 1)"),
        bad<Lists>(R"({"strings":["a",null]})", "strings[1]",
                   R"(line 1, column 17: field "strings[1]": expected a string, found null)"),
        bad<Lists>(R"({"tags":[null]})", "tags[0]", R"(line 1, column 10: field "tags[0]": expected an object, found null)"),
        bad<Lists>(R"({"int32s":[1,]})", "int32s[1]", R"(line 1, column 14: field "int32s[1]": expected an integer, found "]")"),
        bad<Maps>(R"({"texts":[]})", "texts", R"(line 1, column 10: field "texts": expected an object, found an array)"),
        bad<Maps>(R"({"texts":{"a":null}})", "texts[\"a\"]",
                  R"(line 1, column 15: field "texts["a"]": expected a string, found null)"),
        bad<Maps>(
            R"({"int32s":{"1e0":1}})", "int32s[\"1e0\"]",
            "line 1, column 12: field \"int32s[\"1e0\"]\": expected a map key that is an int32 (-2147483648 to 2147483647), "
            "found string \"1e0\""),
        bad<Maps>(R"({"bools":{"yes":"RED"}})", "bools[\"yes\"]",
                  R"(line 1, column 11: field "bools["yes"]": expected a map key "true" or "false", found string "yes")")));

constexpr const char* kNotTime = R"(: not a timestamp like "2006-01-02T15:04:05.678Z" of the years 1 to 9999: )";
constexpr const char* kNotSpan = R"(: not a duration in seconds like "1.5s" of at most 10000 years: )";

std::vector<Bad> bad_times() {
  std::vector<Bad> all;
  for (const char* text :
       {"", "today", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01t00:00:00Z", "1970-01-01T00:00:00z", "1970-02-30T00:00:00Z",
        "1970-13-01T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:00:60Z", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.1234567890Z",
        "1970-01-01T00:00:00Z ", "1970-01-01T00:00:00+0100", "+1970-01-01T00:00:00Z"}) {
    const std::string quoted = "\"" + std::string(text) + "\"";
    all.push_back(
        bad<WellKnownTypes>("{\"time\":" + quoted + "}", "time", "line 1, column 9: field \"time\"" + (kNotTime + quoted)));
  }
  for (const char* text :
       {"", "1", "s", "1 s", "+1s", "--1s", "1.s", ".5s", "1.1234567890s", "315576000001s", "1m", "1s ", "-s"}) {
    const std::string quoted = "\"" + std::string(text) + "\"";
    all.push_back(
        bad<WellKnownTypes>("{\"span\":" + quoted + "}", "span", "line 1, column 9: field \"span\"" + (kNotSpan + quoted)));
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Times, Refuses, testing::ValuesIn(bad_times()));

INSTANTIATE_TEST_SUITE_P(
    WellKnown, Refuses,
    testing::Values(
        bad<WellKnownTypes>(R"({"time":5})", "time",
                            R"(line 1, column 9: field "time": expected a timestamp in a string, found number 5)"),
        bad<WellKnownTypes>(R"({"mask":"a_b"})", "mask",
                            R"(line 1, column 9: field "mask": not a field mask like "user.displayName,photo": "a_b")"),
        bad<WellKnownTypes>(R"({"mask":"a,"})", "mask",
                            R"(line 1, column 9: field "mask": not a field mask like "user.displayName,photo": "")"),
        bad<WellKnownTypes>(R"({"object":[]})", "object",
                            R"(line 1, column 11: field "object": expected an object, found an array)"),
        bad<WellKnownTypes>(R"({"object":{"a":1,"a":2}})", "object[\"a\"]",
                            R"(line 1, column 18: field "object["a"]": given twice)"),
        bad<WellKnownTypes>(R"({"value":1e999})", "value",
                            R"(line 1, column 10: field "value": number 1e999 does not fit into a double)"),
        bad<WellKnownTypes>(R"({"value":})", "value", R"(line 1, column 10: field "value": expected a value, found "}")"),
        bad<WellKnownTypes>(R"({"anInt32":"x"})", "anInt32",
                            R"(line 1, column 12: field "anInt32": expected an integer, found string "x")"),
        bad<WellKnownTypes>(
            R"({"any":{"name":"n"}})", "any",
            R"(line 1, column 9: field "any": "@type" is missing, which says what the google.protobuf.Any holds)"),
        bad<WellKnownTypes>(R"({"any":{"@type":"x/a.B"}})", "any.@type",
                            R"(line 1, column 17: field "any.@type": no message type "a.B" is known here)"),
        bad<WellKnownTypes>(
            R"({"any":{"@type":"codecs.test.Tag"}})", "any.@type",
            R"(line 1, column 17: field "any.@type": expected a type like "type.googleapis.com/package.Message", )"
            R"(found string "codecs.test.Tag")"),
        bad<WellKnownTypes>(R"({"any":{"@type":7}})", "any.@type",
                            R"(line 1, column 17: field "any.@type": expected a string, found number 7)"),
        bad<WellKnownTypes>(R"({"any":{"@type":"x/codecs.test.Tag","@type":"x/codecs.test.Tag"}})", "any.@type",
                            R"(line 1, column 37: field "any.@type": given twice)"),
        bad<WellKnownTypes>(R"({"any":{"@type":"x/codecs.test.Tag","name":1}})", "any.name",
                            R"(line 1, column 44: field "any.name": expected a string, found number 1)"),
        bad<WellKnownTypes>(R"({"any":{"@type":"x/codecs.test.Legacy"}})", "any.name",
                            R"(line 1, column 17: field "any.name": required field "name" is missing)"),
        bad<WellKnownTypes>(
            R"({"any":{"@type":"x/google.protobuf.Duration"}})", "any",
            R"(line 1, column 8: field "any": "value" is missing, which holds a google.protobuf.Duration inside an Any)"),
        bad<WellKnownTypes>(R"({"any":{"@type":"x/google.protobuf.Duration","value":"1"}})", "any.value",
                            std::string(R"(line 1, column 54: field "any.value")") + kNotSpan + "\"1\"")));

std::string nested(std::string_view open, std::string_view inner, std::string_view close, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += open;
  out += inner;
  for (int i = 0; i < times; ++i) out += close;
  return out;
}

TEST(JsonDepth, IsLimitedWhateverTheNesting) {
  const JsonOptions options{.ignore_unknown_fields = true, .max_depth = 20};
  struct Case {
    std::string_view before, open, inner, close, after;
    int around;  // levels the rest brings
  };
  const Case cases[] = {
      {"", R"({"left":)", "{}", "}", "", 1},
      {"", R"({"children":[)", "{}", "]}", "", 1},
      {"", R"({"named":{"a":)", "{}", "}}", "", 1},
      {R"({"unknown":)", "[", "[]", "]", "}", 2},
      {R"({"unknown":)", R"({"x":)", "{}", "}", "}", 2},
  };
  for (const Case& c : cases) {
    const bool two = c.open.find_first_of("[{", 1) != std::string_view::npos;
    const int fits = (20 - c.around) / (two ? 2 : 1);
    const auto json = [&](int times) {
      return std::string(c.before) + nested(c.open, c.inner, c.close, times) + std::string(c.after);
    };
    EXPECT_THAT(from_json<Tree>(json(fits), options), testing::Not(testing::StartsWith("error"))) << c.open;
    EXPECT_THAT(from_json<Tree>(json(fits + 1), options), testing::HasSubstr("nested deeper than 20 levels")) << c.open;
  }
  const std::string values = nested("[", "", "]", 21);
  EXPECT_THAT(from_json<google::protobuf::Value>(values, options), testing::HasSubstr("nested deeper than 20 levels"));
  EXPECT_THAT(from_json<google::protobuf::Value>(nested("[", "", "]", 100), {}), testing::Not(testing::StartsWith("error")));
  EXPECT_THAT(from_json<google::protobuf::Value>(nested("[", "", "]", 101), {}),
              testing::HasSubstr("nested deeper than 100 levels"));
  EXPECT_THAT(from_json<google::protobuf::Value>(nested("[", "", "", 1'000'000), {.max_depth = 1'000'000}),
              testing::HasSubstr("nested deeper than 1000 levels"));
}

TEST(JsonDepth, LimitsNestedAnys) {
  const std::string open = R"({"value":{},"@type":"x/google.protobuf.Any","value":)";
  EXPECT_THAT(from_json<google::protobuf::Any>(nested(R"({"@type":"x/google.protobuf.Any","value":)", "{}", "}", 200)),
              testing::HasSubstr("nested deeper than 100 levels"));
  EXPECT_THAT(from_json<google::protobuf::Any>(open + "{}}"), testing::HasSubstr("given twice"));
}

TEST(JsonErrors, ShowHostileNamesSafely) {
  EXPECT_EQ(from_json<HelloRequest>("{\"\\u001b[2J" + std::string(200, 'x') + "\":1}"),
            "error: JSON for codecs.test.HelloRequest: line 1, column 2: field \"\\x1b[2J" + std::string(33, 'x') +
                "...\": codecs.test.HelloRequest has no such field; known are \"name\"");
  EXPECT_EQ(from_json<Scalars>("{\"anInt32\":\"" + std::string(1000, '9') + "\"}"),
            "error: JSON for codecs.test.Scalars: line 1, column 12: field \"anInt32\": number " + std::string(40, '9') +
                "... does not fit into int32 (-2147483648 to 2147483647)");
}

}  // namespace
}  // namespace micro::codec
