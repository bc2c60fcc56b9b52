#include <micro/codecs/fields.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everything.pb.h"
#include "legacy.pb.h"
#include "test_support.hpp"

namespace micro::codec {
namespace {

using codecs::test::Lists;
using codecs::test::Maps;
using codecs::test::Scalars;
using codecs::test::WellKnownTypes;
using google::protobuf::FieldDescriptor;
using ::testing::HasSubstr;

template <class M>
const FieldDescriptor& field(std::string_view name) {
  const auto found = find_field(*M::descriptor(), name);
  if (!found) throw std::out_of_range(found.error().message());
  return **found;
}

// The message with the texts set one after the other, or "error: ...".
template <class M>
std::string set(std::string_view name, const std::vector<std::string>& texts) {
  M message;
  for (const std::string& text : texts) {
    const Result<void> done = set_text(message, field<M>(name), text);
    if (!done) {
      EXPECT_EQ(done.error().code(), Code::kInvalidArgument);
      return "error: " + done.error().message();
    }
  }
  return to_text(message);
}

TEST(FindField, KnowsBothNames) {
  EXPECT_EQ(field<Scalars>("an_int32").number(), 1);
  EXPECT_EQ(field<Scalars>("anInt32").number(), 1);
  EXPECT_EQ(field<Scalars>("other\"Name").name(), "renamed");
  const auto missing = find_field(*Scalars::descriptor(), "an_int33");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(missing.error().message(), "codecs.test.Scalars has no field \"an_int33\"; did you mean \"an_int32\"?");
  EXPECT_FALSE(find_field(*Scalars::descriptor(), ""));
  EXPECT_EQ(find_field(*google::protobuf::Empty::descriptor(), "x\n").error().message(),
            "google.protobuf.Empty has no field \"x\\x0a\", nor any other");
}

TEST(TextForm, IsThatOfScalarsAndSomeWellKnownTypes) {
  for (int i = 0; i < Scalars::descriptor()->field_count(); ++i) EXPECT_TRUE(has_text_form(*Scalars::descriptor()->field(i)));
  for (const char* name : {"time", "span", "mask", "a_double", "a_float", "an_int64", "a_uint64", "an_int32", "a_uint32",
                           "a_bool", "a_string", "a_bytes", "nothing", "times"}) {
    EXPECT_TRUE(has_text_form(field<WellKnownTypes>(name))) << name;
  }
  for (const char* name : {"any", "object", "value", "list", "empty", "anys", "values", "named"}) {
    EXPECT_FALSE(has_text_form(field<WellKnownTypes>(name))) << name;
  }
  EXPECT_TRUE(has_text_form(field<Lists>("int32s")));
  EXPECT_FALSE(has_text_form(field<Lists>("tags")));
  EXPECT_FALSE(has_text_form(field<Maps>("texts")));
  Maps maps;
  EXPECT_THROW((void)set_text(maps, field<Maps>("texts"), "x"), std::invalid_argument);
}

TEST(SetText, ReadsWhatJsonHasBetweenItsQuotes) {
  EXPECT_EQ(set<Scalars>("an_int32", {"-2147483648"}), "an_int32: -2147483648");
  EXPECT_EQ(set<Scalars>("an_int64", {"1e3"}), "an_int64: 1000");
  EXPECT_EQ(set<Scalars>("a_uint64", {"18446744073709551615"}), "a_uint64: 18446744073709551615");
  EXPECT_EQ(set<Scalars>("a_float", {"-Infinity"}), "a_float: -inf");
  EXPECT_EQ(set<Scalars>("a_double", {"0.1"}), "a_double: 0.1");
  EXPECT_EQ(set<Scalars>("a_bool", {"true"}), "a_bool: true");
  EXPECT_EQ(set<Scalars>("a_string", {" \"x\" "}), R"(a_string: " \"x\" ")");
  EXPECT_EQ(set<Scalars>("a_bytes", {"AAE"}), R"(a_bytes: "\000\001")");
  EXPECT_EQ(set<Scalars>("color", {"NEGATIVE"}), "color: NEGATIVE");
  EXPECT_EQ(set<Scalars>("color", {"-1"}), "color: NEGATIVE");
  EXPECT_EQ(set<Scalars>("color", {"99"}), "color: 99");
  EXPECT_EQ(set<Scalars>("maybe_text", {""}), R"(maybe_text: "")");
  EXPECT_EQ(set<Scalars>("an_int32", {"1", "2"}), "an_int32: 2") << "the last one stays";
  EXPECT_EQ(set<Lists>("strings", {"a", "b"}), R"(strings: "a" strings: "b")");
  EXPECT_EQ(set<Lists>("doubles", {"1", "NaN"}), "doubles: 1 doubles: nan");
  EXPECT_EQ(set<Lists>("colors", {"RED", "2"}), "colors: RED colors: GREEN");
  EXPECT_EQ(set<WellKnownTypes>("time", {"1970-01-01T01:00:00+01:00"}), "time { }");
  EXPECT_EQ(set<WellKnownTypes>("times", {"1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"}),
            "times { seconds: 1 } times { seconds: 2 }");
  EXPECT_EQ(set<WellKnownTypes>("span", {"0.000000001s"}), "span { nanos: 1 }");
  EXPECT_EQ(set<WellKnownTypes>("mask", {"userName,user.tags"}), R"(mask { paths: "user_name" paths: "user.tags" })");
  EXPECT_EQ(set<WellKnownTypes>("mask", {"user_name", "a"}), R"(mask { paths: "a" })");
  EXPECT_EQ(set<WellKnownTypes>("mask", {""}), "mask { }");
  EXPECT_EQ(set<WellKnownTypes>("an_int64", {"0"}), "an_int64 { }");
  EXPECT_EQ(set<WellKnownTypes>("a_bytes", {"-_8="}), R"(a_bytes { value: "\373\377" })");
}

TEST(SetText, SaysWhatItExpected) {
  const std::string no_int = "error: expected an integer, found ";
  for (const char* text : {"", " 1", "1 ", "x", "0x1", "+1", "01", "1_000", "--1"}) {
    EXPECT_EQ(set<Scalars>("an_int32", {text}), no_int + "\"" + text + "\"");
  }
  EXPECT_EQ(set<Scalars>("an_int32", {"1.5"}), "error: expected an integer, found number 1.5");
  EXPECT_EQ(set<Scalars>("a_uint32", {"4294967296"}), "error: number 4294967296 does not fit into uint32 (0 to 4294967295)");
  EXPECT_EQ(set<Scalars>("a_double", {"inf"}), "error: expected a number, found \"inf\"");
  EXPECT_EQ(set<Scalars>("a_double", {"1e999"}), "error: number 1e999 does not fit into a double");
  EXPECT_EQ(set<Scalars>("a_bool", {"True"}), "error: expected true or false, found \"True\"");
  EXPECT_EQ(set<Scalars>("a_string", {"\xc3"}), "error: not valid UTF-8: \"\\xc3\"");
  EXPECT_EQ(set<Scalars>("a_bytes", {"A"}), "error: not base64: \"A\"");
  EXPECT_EQ(set<Scalars>("color", {"GREEEN"}), "error: enum codecs.test.Color has no value \"GREEEN\"; did you mean \"GREEN\"?");
  EXPECT_EQ(set<codecs::test::Legacy>("closed", {"3"}), "error: enum codecs.test.Closed has no value with number 3");
  EXPECT_EQ(set<Scalars>("color", {"1.5"}), "error: expected an integer, found number 1.5");
  EXPECT_THAT(set<WellKnownTypes>("time", {"1970-01-01"}), HasSubstr("error: not a timestamp"));
  EXPECT_THAT(set<WellKnownTypes>("span", {"1"}), HasSubstr("error: not a duration"));
  EXPECT_EQ(set<WellKnownTypes>("mask", {"user_Name"}), "error: not a field mask like \"user.displayName,photo\": \"user_Name\"");
  EXPECT_THAT(set<WellKnownTypes>("mask", {"a,"}), HasSubstr("error: not a field mask"));
  EXPECT_THAT(set<WellKnownTypes>("a_uint32", {"-1"}), HasSubstr("error: number -1 does not fit into uint32"));
}

TEST(JsonOfOneField, IsReadAndWrittenAsAnyValueOfItsKind) {
  const JsonCodec json;
  const auto read = [&](std::string_view name, std::string_view text) {
    Lists lists;
    lists.add_strings("before");
    const Result<void> done = json.unmarshal_field(text, ref(lists), name);
    return done ? to_text(lists) : "error: " + done.error().message();
  };
  EXPECT_EQ(read("int32s", " [1, 2] "), R"(int32s: 1 int32s: 2 strings: "before")");
  EXPECT_EQ(read("tags", R"([{"name":"x"}])"), R"(strings: "before" tags { name: "x" })");
  EXPECT_EQ(read("int32s", "null"), R"(strings: "before")");
  EXPECT_EQ(read("int32s", "[1] 2"),
            "error: JSON for codecs.test.Lists: line 1, column 5: unexpected text after the end of the JSON value: number 2");
  EXPECT_EQ(read("int32s", "[true]"),
            "error: JSON for codecs.test.Lists: line 1, column 2: field \"int32s[0]\": expected an integer, found true");
  EXPECT_EQ(read("nothing", "1"), "error: codecs.test.Lists has no field \"nothing\"");

  Lists lists;
  lists.add_int64s(5);
  const auto write = [&](std::string_view name) {
    Buffer out;
    const Result<void> done = json.marshal_field(ref(lists), name, out);
    return done ? std::string(out.view()) : "error: " + done.error().message();
  };
  EXPECT_EQ(write("int64s"), R"(["5"])");
  EXPECT_EQ(write("strings"), "[]");
  EXPECT_EQ(write("nothing"), "error: codecs.test.Lists has no field \"nothing\"");
}

TEST(JsonOfPart, LeavesRequiredFieldsToACheck) {
  codecs::test::Legacy message;
  ASSERT_FALSE(check_required(message));
  EXPECT_TRUE(JsonCodec().unmarshal_partial("{}", ref(message)));
  EXPECT_FALSE(JsonCodec().unmarshal("{}", ref(message)));
}

}  // namespace
}  // namespace micro::codec
