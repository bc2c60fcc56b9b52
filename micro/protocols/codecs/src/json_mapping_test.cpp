// The proto3 JSON mapping, https://protobuf.dev/programming-guides/json/: messages in protobuf's text format against their JSON.
#include <micro/codecs/json_codec.hpp>

#include <gtest/gtest.h>

#include "everything.pb.h"
#include "legacy.pb.h"
#include "test_support.hpp"

namespace micro::codec {
namespace {

using namespace ::codecs::test;
using google::protobuf::Message;

struct Pair {
  const Message* type;
  std::string text;
  std::string json;
};

std::ostream& operator<<(std::ostream& out, const Pair& pair) { return out << pair.json; }

class BothWays : public testing::TestWithParam<Pair> {};

TEST_P(BothWays, Agree) {
  const auto& [type, text, json] = GetParam();
  const std::unique_ptr<Message> message(type->New());
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, message.get())) << text;
  EXPECT_EQ(to_json(*message), json);
  const std::unique_ptr<Message> back(type->New());
  ASSERT_TRUE(JsonCodec().unmarshal(json, ref(*back))) << from_json(*back, json);
  EXPECT_EQ(to_text(*back), to_text(*message));
}

template <class M>
Pair pair(std::string text, std::string json) {
  return {&M::default_instance(), std::move(text), std::move(json)};
}

INSTANTIATE_TEST_SUITE_P(
    Scalar, BothWays,
    testing::Values(
        pair<Scalars>("", "{}"), pair<Scalars>("an_int32: 2147483647", R"({"anInt32":2147483647})"),
        pair<Scalars>("an_int32: -2147483648", R"({"anInt32":-2147483648})"),
        pair<Scalars>("an_int64: 9223372036854775807", R"({"anInt64":"9223372036854775807"})"),
        pair<Scalars>("an_int64: -9223372036854775808", R"({"anInt64":"-9223372036854775808"})"),
        pair<Scalars>("a_uint32: 4294967295", R"({"aUint32":4294967295})"),
        pair<Scalars>("a_uint64: 18446744073709551615", R"({"aUint64":"18446744073709551615"})"),
        pair<Scalars>("a_sint32: -5 a_sint64: -6", R"({"aSint32":-5,"aSint64":"-6"})"),
        pair<Scalars>("a_fixed32: 5 a_fixed64: 6", R"({"aFixed32":5,"aFixed64":"6"})"),
        pair<Scalars>("a_sfixed32: -5 a_sfixed64: -6", R"({"aSfixed32":-5,"aSfixed64":"-6"})"),
        pair<Scalars>("a_float: 1.5", R"({"aFloat":1.5})"), pair<Scalars>("a_float: 0.1", R"({"aFloat":0.1})"),
        pair<Scalars>("a_float: 3.4028235e38", R"({"aFloat":3.4028235e+38})"),
        pair<Scalars>("a_double: 0.1", R"({"aDouble":0.1})"), pair<Scalars>("a_double: -0.0", R"({"aDouble":-0.0})"),
        pair<Scalars>("a_double: 1e300", R"({"aDouble":1e+300})"),
        pair<Scalars>("a_double: 1.7976931348623157e308", R"({"aDouble":1.7976931348623157e+308})"),
        pair<Scalars>("a_double: 5e-324", R"({"aDouble":5e-324})"), pair<Scalars>("a_double: nan", R"({"aDouble":"NaN"})"),
        pair<Scalars>("a_double: inf", R"({"aDouble":"Infinity"})"),
        pair<Scalars>("a_double: -inf", R"({"aDouble":"-Infinity"})"), pair<Scalars>("a_float: nan", R"({"aFloat":"NaN"})"),
        pair<Scalars>("a_float: -inf", R"({"aFloat":"-Infinity"})"), pair<Scalars>("a_bool: true", R"({"aBool":true})"),
        pair<Scalars>("a_string: 'x'", R"({"aString":"x"})"),
        pair<Scalars>(R"(a_string: "\"\\/\b\f\n\r\t\x01\x1f\x7f")",
                      "{\"aString\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"}"),
        pair<Scalars>(R"(a_string: "\303\251\342\202\254\360\237\230\200")", R"({"aString":"é€😀"})"),
        pair<Scalars>(R"(a_string: "a\000b")", R"({"aString":"a\u0000b"})"),
        pair<Scalars>(R"(a_string: "0123456789abcdef\"0123456789abcdef")", R"({"aString":"0123456789abcdef\"0123456789abcdef"})"),
        pair<Scalars>(R"(a_bytes: "\x00")", R"({"aBytes":"AA=="})"),
        pair<Scalars>(R"(a_bytes: "\x00\xff")", R"({"aBytes":"AP8="})"),
        pair<Scalars>(R"(a_bytes: "\xfb\xef\xff")", R"({"aBytes":"++//"})"), pair<Scalars>("color: RED", R"({"color":"RED"})"),
        pair<Scalars>("color: NEGATIVE", R"({"color":"NEGATIVE"})"), pair<Scalars>("color: 77", R"({"color":77})"),
        pair<Scalars>("maybe: 0", R"({"maybe":0})"), pair<Scalars>("maybe_text: ''", R"({"maybeText":""})"),
        pair<Scalars>("renamed: 'x'", R"({"other\"Name":"x"})")));

INSTANTIATE_TEST_SUITE_P(
    Composed, BothWays,
    testing::Values(
        pair<Lists>("int32s: 1 int32s: 0 int32s: -1", R"({"int32s":[1,0,-1]})"),
        pair<Lists>("int64s: 1 uint64s: 2 uint32s: 3", R"({"int64s":["1"],"uint32s":[3],"uint64s":["2"]})"),
        pair<Lists>("floats: 0.5 floats: inf doubles: nan bools: true bools: false",
                    R"({"floats":[0.5,"Infinity"],"doubles":["NaN"],"bools":[true,false]})"),
        pair<Lists>("strings: '' strings: 'b' blobs: 'x' colors: GREEN colors: 9",
                    R"({"strings":["","b"],"blobs":["eA=="],"colors":["GREEN",9]})"),
        pair<Lists>("tags { name: 'a' } tags { } tags { color: RED }", R"({"tags":[{"name":"a"},{},{"color":"RED"}]})"),
        pair<Maps>("texts { key: 'b' value: '2' } texts { key: '' value: '' } texts { key: '\"' }",
                   R"({"texts":{"":"","\"":"","b":"2"}})"),
        pair<Maps>("int32s { key: -3 value: 4 } int64s { key: 5 value: 0.5 } uint32s { key: 6 value: true }",
                   R"({"int32s":{"-3":4},"int64s":{"5":0.5},"uint32s":{"6":true}})"),
        pair<Maps>("uint64s { key: 18446744073709551615 value: 'x' } bools { key: true value: RED }",
                   R"({"uint64s":{"18446744073709551615":"eA=="},"bools":{"true":"RED"}})"),
        pair<Maps>("tags { key: 'a' value { name: 'n' } } tags { key: 'b' value { } }", R"({"tags":{"a":{"name":"n"},"b":{}}})"),
        pair<Choice>("number: 0", R"({"number":0})"), pair<Choice>("text: ''", R"({"text":""})"),
        pair<Choice>("tag { }", R"({"tag":{}})"), pair<Choice>("nothing: NULL_VALUE", R"({"nothing":null})"),
        pair<Choice>("anything { null_value: NULL_VALUE }", R"({"anything":null})"),
        pair<Tree>("label: 'r' left { left { label: 'l' } } children { } children { label: 'c' } named { key: 'k' value { label: "
                   "'v' } }",
                   R"({"label":"r","left":{"left":{"label":"l"}},"children":[{},{"label":"c"}],"named":{"k":{"label":"v"}}})"),
        pair<Legacy>("name: 'n'", R"({"name":"n"})"),
        pair<Legacy>("name: '' count: 0 closed: SECOND several: FIRST next { name: 'm' }",
                     R"({"name":"","count":0,"closed":"SECOND","next":{"name":"m"},"several":["FIRST"]})"),
        pair<Legacy>("name: 'n' Inner { text: 't' }", R"({"name":"n","inner":{"text":"t"}})")));

INSTANTIATE_TEST_SUITE_P(
    WellKnown, BothWays,
    testing::Values(
        pair<WellKnownTypes>("time { }", R"({"time":"1970-01-01T00:00:00Z"})"),
        pair<WellKnownTypes>("time { seconds: 253402300799 nanos: 999999999 }", R"({"time":"9999-12-31T23:59:59.999999999Z"})"),
        pair<WellKnownTypes>("time { seconds: -62135596800 }", R"({"time":"0001-01-01T00:00:00Z"})"),
        pair<WellKnownTypes>("time { seconds: -1 nanos: 500000000 }", R"({"time":"1969-12-31T23:59:59.500Z"})"),
        pair<WellKnownTypes>("time { seconds: 1709210096 nanos: 1000 }", R"({"time":"2024-02-29T12:34:56.000001Z"})"),
        pair<WellKnownTypes>("times { seconds: 1 nanos: 1 } times { }",
                             R"({"times":["1970-01-01T00:00:01.000000001Z","1970-01-01T00:00:00Z"]})"),
        pair<WellKnownTypes>("span { }", R"({"span":"0s"})"),
        pair<WellKnownTypes>("span { seconds: 315576000000 }", R"({"span":"315576000000s"})"),
        pair<WellKnownTypes>("span { seconds: -315576000000 }", R"({"span":"-315576000000s"})"),
        pair<WellKnownTypes>("span { nanos: -1 }", R"({"span":"-0.000000001s"})"),
        pair<WellKnownTypes>("span { seconds: -1 nanos: -250000000 }", R"({"span":"-1.250s"})"),
        pair<WellKnownTypes>("mask { }", R"({"mask":""})"),
        pair<WellKnownTypes>("mask { paths: 'user_name.first' paths: 'b' }", R"({"mask":"userName.first,b"})"),
        pair<WellKnownTypes>("object { }", R"({"object":{}})"),
        pair<WellKnownTypes>(
            "object { fields { key: 'a' value { list_value { values { number_value: 1.5 } values { struct_value { } } } } } }",
            R"({"object":{"a":[1.5,{}]}})"),
        pair<WellKnownTypes>("value { null_value: NULL_VALUE }", R"({"value":null})"),
        pair<WellKnownTypes>("value { string_value: 'NaN' }", R"({"value":"NaN"})"),
        pair<WellKnownTypes>("value { bool_value: false }", R"({"value":false})"),
        pair<WellKnownTypes>("value { number_value: 0 }", R"({"value":0})"),
        pair<WellKnownTypes>("value { list_value { } }", R"({"value":[]})"), pair<WellKnownTypes>("list { }", R"({"list":[]})"),
        pair<WellKnownTypes>("list { values { null_value: NULL_VALUE } values { bool_value: true } }", R"({"list":[null,true]})"),
        pair<WellKnownTypes>("values { null_value: NULL_VALUE } values { string_value: 'x' }", R"({"values":[null,"x"]})"),
        pair<WellKnownTypes>("named { key: 'a' value { null_value: NULL_VALUE } }", R"({"named":{"a":null}})"),
        pair<WellKnownTypes>("empty { }", R"({"empty":{}})"),
        pair<WellKnownTypes>("a_double { value: 1 } a_float { } an_int64 { value: -1 } a_uint64 { value: 2 }",
                             R"({"aDouble":1,"aFloat":0,"anInt64":"-1","aUint64":"2"})"),
        pair<WellKnownTypes>(
            "an_int32 { value: 3 } a_uint32 { value: 4 } a_bool { value: true } a_string { } a_bytes { value: 'x' }",
            R"({"anInt32":3,"aUint32":4,"aBool":true,"aString":"","aBytes":"eA=="})"),
        pair<WellKnownTypes>("any { }", R"({"any":{}})"),
        pair<WellKnownTypes>("any { [type.googleapis.com/codecs.test.Tag] { name: 'n' color: RED } }",
                             R"({"any":{"@type":"type.googleapis.com/codecs.test.Tag","name":"n","color":"RED"}})"),
        pair<WellKnownTypes>("any { [type.googleapis.com/google.protobuf.Duration] { seconds: 1 } }",
                             R"({"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}})"),
        pair<WellKnownTypes>("any { [type.googleapis.com/google.protobuf.Empty] { } }",
                             R"({"any":{"@type":"type.googleapis.com/google.protobuf.Empty"}})"),
        pair<WellKnownTypes>(
            "anys { [type.googleapis.com/google.protobuf.Any] { [type.googleapis.com/codecs.test.Tag] { name: 'n' } } } anys { "
            "[type.googleapis.com/google.protobuf.Int64Value] { value: 5 } }",
            R"({"anys":[{"@type":"type.googleapis.com/google.protobuf.Any",)"
            R"("value":{"@type":"type.googleapis.com/codecs.test.Tag","name":"n"}},)"
            R"({"@type":"type.googleapis.com/google.protobuf.Int64Value","value":"5"}]})")));

// Well-known types as the whole message.
INSTANTIATE_TEST_SUITE_P(
    Root, BothWays,
    testing::Values(pair<google::protobuf::Int64Value>("value: 5", "\"5\""), pair<google::protobuf::StringValue>("", "\"\""),
                    pair<google::protobuf::Timestamp>("", "\"1970-01-01T00:00:00Z\""),
                    pair<google::protobuf::Value>("null_value: NULL_VALUE", "null"),
                    pair<google::protobuf::ListValue>("values { string_value: 'a' }", R"(["a"])"),
                    pair<google::protobuf::Struct>("fields { key: 'a' value { number_value: 1 } }", R"({"a":1})")));

struct Reading {
  const Message* type;
  std::string json;
  std::string text;
};

std::ostream& operator<<(std::ostream& out, const Reading& reading) { return out << reading.json; }

class Accepts : public testing::TestWithParam<Reading> {};

TEST_P(Accepts, OtherSpellings) {
  const auto& [type, json, text] = GetParam();
  const std::unique_ptr<Message> message(type->New());
  EXPECT_EQ(from_json(*message, json), text);
}

template <class M>
Reading reading(std::string json, std::string text) {
  return {&M::default_instance(), std::move(json), std::move(text)};
}

INSTANTIATE_TEST_SUITE_P(
    Json, Accepts,
    testing::Values(
        reading<Scalars>(" \t\r\n{ \"anInt32\" : 1 } \n", "an_int32: 1"), reading<Scalars>(R"({"an_int32":1})", "an_int32: 1"),
        reading<Scalars>(R"({"anInt32":"1","aUint32":"2"})", "an_int32: 1 a_uint32: 2"),
        reading<Scalars>(R"({"anInt64":1,"aUint64":18446744073709551615})", "an_int64: 1 a_uint64: 18446744073709551615"),
        reading<Scalars>(R"({"anInt32":1e3,"aUint32":1.0,"aSint32":-2.50e1})", "an_int32: 1000 a_uint32: 1 a_sint32: -25"),
        reading<Scalars>(R"({"anInt32":"1E+2","aUint32":100e-2})", "an_int32: 100 a_uint32: 1"),
        reading<Scalars>(R"({"anInt64":9007199254740993.0,"aUint64":0e99999999999999999999})", "an_int64: 9007199254740993"),
        reading<Scalars>(R"({"anInt64":-9.223372036854775808e18})", "an_int64: -9223372036854775808"),
        reading<Scalars>(R"({"aUint64":1.8446744073709551615e19,"aUint32":-0})", "a_uint64: 18446744073709551615"),
        reading<Scalars>(R"({"aDouble":"1.5","aFloat":"-2"})", "a_float: -2 a_double: 1.5"),
        reading<Scalars>(R"({"aDouble":1e-999,"aFloat":1e-99})", ""),
        reading<Scalars>(R"({"aString":"\u00e9\u20AC\ud83d\uDE00\/"})", R"(a_string: "\303\251\342\202\254\360\237\230\200/")"),
        reading<Scalars>(R"({"\u0061String":"x"})", R"(a_string: "x")"),
        reading<Scalars>(R"({"aBytes":"-_8"})", R"(a_bytes: "\373\377")"),
        reading<Scalars>(R"({"aBytes":"+/8="})", R"(a_bytes: "\373\377")"),
        reading<Scalars>(R"({"aBytes":"AA"})", R"(a_bytes: "\000")"), reading<Scalars>(R"({"aBytes":""})", ""),
        reading<Scalars>(R"({"color":1})", "color: RED"), reading<Scalars>(R"({"color":1.0})", "color: RED"),
        reading<Scalars>(R"({"anInt32":null,"aString":null,"color":null,"maybe":null})", ""),
        reading<Lists>(R"({"int32s":null,"tags":[]})", ""), reading<Lists>(R"({"int32s":["1",2.0]})", "int32s: 1 int32s: 2"),
        reading<Maps>(R"({"texts":null,"tags":{}})", ""),
        reading<Maps>(R"({"texts":{"\u0061":"b"}})", R"(texts { key: "a" value: "b" })"),
        reading<Choice>(R"({"number":null,"text":"x","tag":null})", R"(text: "x")"),
        reading<Choice>(R"({"nothing":"NULL_VALUE"})", "nothing: NULL_VALUE"),
        reading<Tree>(R"({"left":null,"children":null,"named":null})", ""),
        reading<Legacy>(R"({"name":"n","closed":2})", R"(name: "n" closed: SECOND)"),
        reading<WellKnownTypes>(R"({"time":"1970-01-01T01:00:00+01:00"})", "time { }"),
        reading<WellKnownTypes>(R"({"time":"1969-12-31T23:30:00.5-00:30"})", "time { nanos: 500000000 }"),
        reading<WellKnownTypes>(R"({"span":"0.5s"})", "span { nanos: 500000000 }"),
        reading<WellKnownTypes>(R"({"span":"-0s"})", "span { }"),
        reading<WellKnownTypes>(R"({"time":null,"span":null,"mask":null,"object":null,"list":null,"any":null,"anInt32":null})",
                                ""),
        reading<WellKnownTypes>(R"({"nothing":null,"value":null})", "value { null_value: NULL_VALUE }"),
        reading<WellKnownTypes>(R"({"anInt64":7,"aDouble":"NaN"})", "a_double { value: nan } an_int64 { value: 7 }"),
        reading<WellKnownTypes>(R"({"any":{"name":"n","@type":"type.googleapis.com/codecs.test.Tag"}})",
                                R"(any { [type.googleapis.com/codecs.test.Tag] { name: "n" } })"),
        reading<WellKnownTypes>(R"({"any":{"value":"2s","@type":"type.googleapis.com/google.protobuf.Duration"}})",
                                "any { [type.googleapis.com/google.protobuf.Duration] { seconds: 2 } }"),
        reading<WellKnownTypes>(R"({"any":{"@type":"type.googleapis.com/google.protobuf.Empty","value":{}}})",
                                "any { [type.googleapis.com/google.protobuf.Empty] { } }")));

}  // namespace
}  // namespace micro::codec
