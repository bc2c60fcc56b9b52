#include <micro/transcoding/binding.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <google/protobuf/text_format.h>

#include <micro/codecs/proto_codec.hpp>
#include <micro/codecs/protobuf.hpp>
#include <micro/transcoding/router.hpp>

#include "legacy_order.pb.h"
#include "messaging.pb.h"

namespace micro::transcoding {
namespace {

using ::testing::HasSubstr;

struct Request {
  std::string method;
  std::string target;  // path and query
  std::string body;
};

std::string to_text(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(message, &text);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

// One method with its bindings.
template <class In, class Out>
class Method {
 public:
  explicit Method(std::vector<Rule> rules, codec::JsonOptions options = {}) : json_(options) {
    for (const Rule& rule : rules) {
      const Result<void> added =
          router_.add("messaging.Messaging/Method", rule, codec::message_type<In>(), codec::message_type<Out>(), 0);
      EXPECT_TRUE(added) << added.error().message();
    }
  }

  // The request message in protobuf's text format, or "REASON: message".
  std::string read(const Request& request, const codec::Codec* codec = nullptr) {
    const std::size_t question = std::min(request.target.find('?'), request.target.size());
    const std::string_view path = std::string_view(request.target).substr(0, question);
    const Binding* binding = router_.find(request.method, path);
    if (binding == nullptr) return "no binding";
    const std::string_view query = std::string_view(request.target).substr(std::min(question + 1, request.target.size()));
    In message;
    const Result<void> done =
        binding->read({path, query, request.body}, codec != nullptr ? *codec : json_, json_, codec::ref(message));
    if (done) return to_text(message);
    EXPECT_EQ(done.error().code(), Code::kInvalidArgument);
    error_ = done.error();
    return done.error().reason() + ": " + done.error().message();
  }
  // The body of a reply and its content type.
  std::string write(const Out& reply, const codec::Codec* codec = nullptr) {
    Buffer out;
    out.append("before ");
    const auto type = router_.find("GET", "/reply")->write(codec::ref(reply), codec != nullptr ? *codec : json_, json_, out);
    if (!type) return "error: " + type.error().message() + " after " + std::string(out.view());
    return std::string(*type) + ": " + std::string(out.view().substr(7));
  }
  // Of the last error.
  std::string metadata(std::string_view key) const {
    const std::string* value = error_->find(key);
    return value == nullptr ? "none" : *value;
  }

 private:
  Router router_;
  codec::JsonCodec json_;
  std::optional<Error> error_;
};

using Get = Method<messaging::GetMessageRequest, messaging::Message>;
using Update = Method<messaging::UpdateMessageRequest, messaging::Message>;

TEST(Binding, PathVariablesAndInnerOnes) {
  Get method({{"GET", "/v1/messages/{message_id}/{sub.subfield}", {}, {}}});
  EXPECT_EQ(method.read({"GET", "/v1/messages/123456/foo", ""}), R"(message_id: "123456" sub { subfield: "foo" })");
}

TEST(Binding, AVariableOfSeveralSegments) {
  Get method({{"GET", "/v1/{message_id=messages/*}", {}, {}}});
  EXPECT_EQ(method.read({"GET", "/v1/messages/123456", ""}), R"(message_id: "messages/123456")");
}

TEST(Binding, FieldsThatAreNotInThePathAreQueryParameters) {
  Get method({{"GET", "/v1/messages/{message_id}", {}, {}}});
  EXPECT_EQ(method.read({"GET", "/v1/messages/123456?revision=2&sub.subfield=foo", ""}),
            R"(message_id: "123456" revision: 2 sub { subfield: "foo" })");
  EXPECT_EQ(method.read({"GET", "/v1/messages/123456?userId=a+b%2Bc", ""}), R"(message_id: "123456" user_id: "a b+c")");
  EXPECT_EQ(method.read({"GET", "/v1/messages/1?sub.subfield=x&sub.deeper.subfield=y", ""}),
            R"(message_id: "1" sub { subfield: "x" deeper { subfield: "y" } })");
  EXPECT_EQ(method.read({"GET", "/v1/messages/1?&&", ""}), R"(message_id: "1")");
}

TEST(Binding, OneFieldInTheBody) {
  Update method({{"PATCH", "/v1/messages/{message_id}", "message", {}}});
  EXPECT_EQ(method.read({"PATCH", "/v1/messages/123456", R"({ "text": "Hi!" })"}),
            R"(message_id: "123456" message { text: "Hi!" })");
  EXPECT_EQ(method.read({"PATCH", "/v1/messages/1?updateMask=text,messageId&note=n", R"({"text":"Hi!"})"}),
            R"(message_id: "1" message { text: "Hi!" } update_mask { paths: "text" paths: "message_id" } note: "n")");
  EXPECT_EQ(method.read({"PATCH", "/v1/messages/1", ""}), R"(message_id: "1")");
  EXPECT_EQ(method.read({"PATCH", "/v1/messages/1", " \r\n"}), R"(message_id: "1")");
  EXPECT_EQ(method.read({"PATCH", "/v1/messages/1", "null"}), R"(message_id: "1")");
  EXPECT_EQ(method.read({"PATCH", "/v1/messages/1", "{}"}), R"(message_id: "1" message { })");
  EXPECT_EQ(method.read({"PATCH", "/v1/messages/1?message.text=x", ""}),
            "INVALID_QUERY: query parameter \"message.text\": the field is in the body");
  EXPECT_EQ(method.read({"PATCH", "/v1/messages/1", R"({"texd":"x"})"}),
            "INVALID_JSON: JSON for messaging.UpdateMessageRequest: line 1, column 2: field \"message.texd\": messaging.Message "
            "has no such "
            "field; did you mean \"text\"?");
  EXPECT_THAT(method.read({"PATCH", "/v1/messages/1", R"({"text":"x"},"note":"y")"}), HasSubstr("line 1, column 13"));
  EXPECT_THAT(method.read({"PATCH", "/v1/messages/1", R"({"text":)"}), HasSubstr("INVALID_JSON"));
  const codec::ProtoCodec proto;
  EXPECT_EQ(
      method.read({"PATCH", "/v1/messages/1", "\x12\x01x"}, &proto),
      "UNSUPPORTED_MEDIA_TYPE: the body of PATCH /v1/messages/{message_id} is the field \"message\", which can only be sent as "
      "application/json");
  EXPECT_EQ(method.metadata("http_status"), "415");
}

TEST(Binding, ABodyThatIsAListAMapOrOneValue) {
  Update method({{"POST", "/history", "history", {}},
                 {"POST", "/tags", "tags", {}},
                 {"POST", "/counts", "counts", {}},
                 {"POST", "/note", "note", {}}});
  EXPECT_EQ(method.read({"POST", "/history", R"([{"text":"a"},{"text":"b"}])"}),
            R"(history { text: "a" } history { text: "b" })");
  EXPECT_EQ(method.read({"POST", "/tags?note=n", R"(["a","b"])"}), R"(tags: "a" tags: "b" note: "n")");
  EXPECT_EQ(method.read({"POST", "/counts", R"({"a":1})"}), R"(counts { key: "a" value: 1 })");
  EXPECT_EQ(method.read({"POST", "/note", R"("n")"}), R"(note: "n")");
  EXPECT_THAT(method.read({"POST", "/tags", R"([1])"}), HasSubstr("field \"tags[0]\": expected a string, found number 1"));
}

TEST(Binding, EverythingInTheBody) {
  Method<messaging::Message, messaging::Message> method(
      {{"PUT", "/v1/messages/{message_id}", "*", {}}, {"PUT", "/v1/messages", "*", {}}});
  EXPECT_EQ(method.read({"PUT", "/v1/messages/123456", R"({ "text": "Hi!" })"}), R"(message_id: "123456" text: "Hi!")");
  EXPECT_EQ(method.read({"PUT", "/v1/messages/1", R"({"messageId":"2","text":"x"})"}), R"(message_id: "1" text: "x")")
      << "the path wins";
  EXPECT_EQ(method.read({"PUT", "/v1/messages/1", ""}), R"(message_id: "1")");
  EXPECT_EQ(method.read({"PUT", "/v1/messages", R"({"messageId":"2"})"}), R"(message_id: "2")");
  EXPECT_EQ(method.read({"PUT", "/v1/messages/1?text=x", ""}),
            "INVALID_QUERY: query parameter \"text\": every field that is not in the path is in the body");
  messaging::Message body;
  body.set_text("in protobuf");
  const codec::ProtoCodec proto;
  EXPECT_EQ(method.read({"PUT", "/v1/messages/1", body.SerializeAsString()}, &proto), R"(message_id: "1" text: "in protobuf")");
}

TEST(Binding, NoBody) {
  Get method({{"GET", "/v1/messages/{message_id}", {}, {}}, {"POST", "/v1/messages/{message_id}:undelete", {}, {}}});
  EXPECT_EQ(method.read({"POST", "/v1/messages/1:undelete?revision=2", ""}), R"(message_id: "1" revision: 2)");
  EXPECT_EQ(method.read({"POST", "/v1/messages/1:undelete", " {} "}), R"(message_id: "1")");
  EXPECT_EQ(method.read({"POST", "/v1/messages/1:undelete", R"({"revision":2})"}),
            "UNEXPECTED_BODY: POST /v1/messages/{message_id}:undelete takes no body; send its fields as query parameters");
}

TEST(Binding, SeveralBindingsOfOneMethod) {
  Get method({{"GET", "/v1/messages/{message_id}", {}, {}}, {"GET", "/v1/users/{user_id}/messages/{message_id}", {}, {}}});
  EXPECT_EQ(method.read({"GET", "/v1/messages/123456", ""}), R"(message_id: "123456")");
  EXPECT_EQ(method.read({"GET", "/v1/users/me/messages/123456", ""}), R"(message_id: "123456" user_id: "me")");
}

TEST(Binding, AVariableInsideTheFieldThatIsTheBody) {
  Method<messaging::BookRequest, messaging::Book> method({{"PATCH", "/v1/{book.name=shelves/*/books/*}", "book", {}}});
  EXPECT_EQ(method.read({"PATCH", "/v1/shelves/1/books/2?pageSize=3", R"({"title":"t","name":"other"})"}),
            R"(book { name: "shelves/1/books/2" title: "t" } page_size: 3)");
  EXPECT_EQ(method.read({"PATCH", "/v1/shelves/1/books/2?book.name=x", ""}),
            "INVALID_QUERY: query parameter \"book.name\": the field is the variable {book.name} of the path");
}

TEST(Binding, ValuesOfOneSegmentAreDecodedWholeOthersKeepTheirSlashes) {
  Method<messaging::BookRequest, messaging::Book> method({{"GET", "/one/{name}", {}, {}},
                                                          {"GET", "/some/{name=shelves/*}", {}, {}},
                                                          {"GET", "/all/{name=**}", {}, {}},
                                                          {"GET", "/all/{name=**}:count", {}, {}},
                                                          {"GET", "/mixed/{parent=a/*}/and/{name=**}", {}, {}},
                                                          {"GET", "/shelf/{name=fixed}", {}, {}}});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/one/a%2Fb%20c+d", R"(name: "a/b c+d")"},
      {"/one/%E2%82%AC", R"(name: "\342\202\254")"},
      {"/one/100%25", R"(name: "100%")"},
      {"/some/shelves/a%2Fb%20c", R"(name: "shelves/a%2Fb c")"},
      {"/some/shelves/a%2fb", R"(name: "shelves/a%2fb")"},
      {"/some/%73helves/a", R"(name: "shelves/a")"},
      {"/all/a/b%2Fc/d%20e/", R"(name: "a/b%2Fc/d e/")"},
      {"/all", ""},
      {"/all/", ""},
      {"/all/x:count", R"(name: "x")"},
      {"/all/x%3Acount", R"(name: "x:count")"},
      {"/all:count", ""},
      {"/mixed/a/b/and/c/d", R"(name: "c/d" parent: "a/b")"},
      {"/mixed/a/b/and", R"(parent: "a/b")"},
      {"/shelf/fixed", R"(name: "fixed")"},
  };
  for (const auto& [path, expected] : cases) EXPECT_EQ(method.read({"GET", path, ""}), expected) << path;
  EXPECT_EQ(method.read({"GET", "/one/a%2", ""}),
            "INVALID_PATH: path /one/{name}: variable {name}: '%' is not followed by two hex digits");
  EXPECT_EQ(method.metadata("field"), "name");
  EXPECT_EQ(method.read({"GET", "/one/%ff", ""}), "INVALID_PATH: path /one/{name}: variable {name}: not valid UTF-8: \"\\xff\"");
}

TEST(Binding, EveryKindOfFieldAsAQueryParameter) {
  Method<messaging::Kinds, messaging::Message> method({{"GET", "/k", {}, {}}});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"an_int32=-5", "an_int32: -5"},
      {"anInt64=9223372036854775807", "an_int64: 9223372036854775807"},
      {"a_uint32=4294967295", "a_uint32: 4294967295"},
      {"a_uint64=18446744073709551615", "a_uint64: 18446744073709551615"},
      {"a_sint64=-1", "a_sint64: -1"},
      {"a_fixed32=7", "a_fixed32: 7"},
      {"a_float=1.5", "a_float: 1.5"},
      {"a_double=-1e3", "a_double: -1000"},
      {"a_double=NaN&a_float=-Infinity", "a_float: -inf a_double: nan"},
      {"a_bool=true", "a_bool: true"},
      {"a_bool=false", ""},
      {"a_string=a%26b%3Dc", "a_string: \"a&b=c\""},
      {"a_string", ""},
      {"some_bytes=-_8", R"(some_bytes: "\373\377")"},
      {"color=BLUE", "color: BLUE"},
      {"color=1", "color: RED"},
      {"color=17", "color: 17"},
      {"maybe=0", "maybe: 0"},
      {"time=1970-01-01T00:00:01.5Z", "time { seconds: 1 nanos: 500000000 }"},
      {"span=-1.5s", "span { seconds: -1 nanos: -500000000 }"},
      {"mask=aString,inner.a_bool", R"(mask { paths: "a_string" paths: "inner.a_bool" })"},
      {"mask=", "mask { }"},
      {"wrapped=0", "wrapped { }"},
      {"wrapped=5", "wrapped { value: 5 }"},
      {"wrapped_text=x", R"(wrapped_text { value: "x" })"},
      {"wrapped.value=5", "wrapped { value: 5 }"},
      {"time.seconds=5", "time { seconds: 5 }"},
      {"numbers=1&numbers=2&numbers=3", "numbers: 1 numbers: 2 numbers: 3"},
      {"words=a&numbers=1&words=b", R"(numbers: 1 words: "a" words: "b")"},
      {"colors=RED&colors=2", "colors: RED colors: BLUE"},
      {"times=1970-01-01T00:00:01Z&times=1970-01-01T00:00:02Z", "times { seconds: 1 } times { seconds: 2 }"},
      {"inner.inner.words=x&inner.inner.words=y", R"(inner { inner { words: "x" words: "y" } })"},
      {"by_number=1", "by_number: 1"},
      {"by_book.name=x&byBook.title=y", R"(by_book { name: "x" title: "y" })"},
      {"strange=x", R"(odd: "x")"},
      {"%61_string=x", R"(a_string: "x")"},
  };
  for (const auto& [query, expected] : cases) EXPECT_EQ(method.read({"GET", "/k?" + query, ""}), expected) << query;
}

TEST(Binding, QueryParametersThatFitNoField) {
  Method<messaging::Kinds, messaging::Message> method({{"GET", "/k", {}, {}}, {"GET", "/k/{time}/{inner.a_string}", {}, {}}});
  const std::vector<std::array<std::string, 3>> cases = {
      {"an_int32=x", "an_int32", "expected an integer, found \"x\""},
      {"an_int32=", "an_int32", "expected an integer, found \"\""},
      {"an_int32=1.5", "an_int32", "expected an integer, found number 1.5"},
      {"an_int32=2147483648", "an_int32", "number 2147483648 does not fit into int32 (-2147483648 to 2147483647)"},
      {"a_uint32=-1", "a_uint32", "number -1 does not fit into uint32"},
      {"a_float=1e300", "a_float", "number 1e300 does not fit into a float"},
      {"a_double=one", "a_double", "expected a number, found \"one\""},
      {"a_bool=1", "a_bool", "expected true or false, found \"1\""},
      {"a_bool", "a_bool", "expected true or false, found \"\""},
      {"color=GREEN", "color", "enum messaging.Color has no value \"GREEN\""},
      {"color=", "color", "enum messaging.Color has no value \"\""},
      {"some_bytes=***", "some_bytes", "not base64: \"***\""},
      {"a_string=%ff", "a_string", "not valid UTF-8: \"\\xff\""},
      {"time=yesterday", "time", "not a timestamp like \"2006-01-02T15:04:05.678Z\" of the years 1 to 9999: \"yesterday\""},
      {"span=5", "span", "not a duration in seconds like \"1.5s\""},
      {"mask=a,,b", "mask", "not a field mask like \"user.displayName,photo\": \"\""},
      {"wrapped=x", "wrapped", "expected an integer, found \"x\""},
      {"labels=x", "labels", "a map cannot be given outside of a body"},
      {"labels.a=x", "labels.a", "field \"labels\" is a map, and has no fields inside"},
      {"inner_list=x", "inner_list", "a list of messages (messaging.Kinds) cannot be given outside of a body"},
      {"inner_list.a_string=x", "inner_list.a_string", "field \"inner_list\" is repeated"},
      {"inner=x", "inner", "it is a messaging.Kinds: name a field inside, such as \"inner.an_int32\""},
      {"object=x", "object", "a google.protobuf.Struct cannot be given outside of a body"},
      {"a_string.x=1", "a_string.x", "field \"a_string\" is no message, and has no fields inside"},
      {"nothing=1", "nothing", "messaging.Kinds has no field \"nothing\""},
      {"a_strong=1", "a_strong", "did you mean \"a_string\"?"},
      {"inner.nothing=1", "inner.nothing", "messaging.Kinds has no field \"nothing\""},
      {"=1", "", "messaging.Kinds has no field \"\""},
      {".=1", ".", "messaging.Kinds has no field \"\""},
      {"inner.=1", "inner.", "messaging.Kinds has no field \"\""},
      {"a_string=x&a_string=y", "a_string", "given twice, and the field is not repeated"},
      {"a_string=x&aString=y", "aString", "given twice, and the field is not repeated"},
      {"time=1970-01-01T00:00:01Z&time.nanos=1", "time.nanos", "given twice"},
      {"by_name=x&by_number=1", "by_number", "only one field of oneof \"choice\" may be given, and \"by_name\" is already"},
      {"by_name=x&by_book.name=1", "by_book.name", "only one field of oneof \"choice\""},
  };
  for (const auto& [query, field, expected] : cases) {
    const std::string got = method.read({"GET", "/k?" + query, ""});
    EXPECT_THAT(got, HasSubstr("INVALID_QUERY: query parameter \"" + field + "\": ")) << query;
    EXPECT_THAT(got, HasSubstr(expected)) << query;
    EXPECT_EQ(method.metadata("field"), field);
  }
  EXPECT_THAT(method.read({"GET", "/k?a_string=%f", ""}), HasSubstr("INVALID_QUERY: query: cannot percent-decode"));
  EXPECT_THAT(method.read({"GET", "/k/1970-01-01T00:00:01Z/x?inner.aString=y", ""}),
              HasSubstr("the field is the variable {inner.a_string}"));
  EXPECT_THAT(method.read({"GET", "/k/1970-01-01T00:00:01Z/x?time.nanos=1", ""}), HasSubstr("the field is the variable {time}"));
  EXPECT_EQ(method.read({"GET", "/k/1970-01-01T00:00:01Z/x?inner.a_bool=true", ""}),
            R"(time { seconds: 1 } inner { a_bool: true a_string: "x" })");
  EXPECT_THAT(method.read({"GET", "/k/never/x", ""}),
              HasSubstr("INVALID_PATH: path /k/{time}/{inner.a_string}: variable {time}: not a timestamp"));
}

TEST(Binding, NamesOfHostileDepthAndLengthAreRefusedInAShortMessage) {
  Method<messaging::Kinds, messaging::Message> method({{"GET", "/k", {}, {}}});
  std::string name = "inner";
  for (int i = 0; i < 5000; ++i) name += ".inner";
  const std::string got = method.read({"GET", "/k?" + name + "=1", ""});
  EXPECT_THAT(got, HasSubstr("nested deeper than 100 levels"));
  EXPECT_LT(got.size(), 250u);
  EXPECT_LT(method.read({"GET", "/k?" + std::string(20'000, 'x') + "=1", ""}).size(), 400u);
  EXPECT_THAT(method.read({"GET", "/k?a%0d%0ab=1", ""}), HasSubstr("query parameter \"a??b\""));
}

TEST(Binding, UnknownParametersAreSkippedWhereUnknownFieldsAre) {
  Get method({{"GET", "/v1/messages/{message_id}", {}, {}}}, {.ignore_unknown_fields = true});
  EXPECT_EQ(method.read({"GET", "/v1/messages/1?revision=2&utm_source=x&message_id=3", ""}), R"(message_id: "1" revision: 2)");
}

TEST(Binding, RequiredFieldsMayComeFromDifferentPlaces) {
  Method<messaging::LegacyOrder, messaging::Message> method({{"POST", "/orders/{id}", "*", {}}, {"GET", "/orders/{id}", {}, {}}});
  EXPECT_EQ(method.read({"POST", "/orders/7", R"({"amount":3})"}), R"(id: "7" amount: 3)");
  EXPECT_EQ(method.read({"GET", "/orders/7?amount=3&note=x", ""}), R"(id: "7" amount: 3 note: "x")");
  EXPECT_EQ(method.read({"POST", "/orders/7", "{}"}), ": messaging.LegacyOrder: required fields are missing: amount");
  EXPECT_EQ(method.read({"GET", "/orders/7", ""}), ": messaging.LegacyOrder: required fields are missing: amount");
}

TEST(Binding, Replies) {
  messaging::UpdateMessageRequest reply;
  reply.set_note("n");
  reply.add_tags("a");
  reply.mutable_message()->set_text("t");
  (*reply.mutable_counts())["x"] = 2;
  const auto with = [&](std::string_view response_body) {
    return Method<messaging::Message, messaging::UpdateMessageRequest>({{"GET", "/reply", {}, response_body}}).write(reply);
  };
  EXPECT_EQ(with(""), R"(application/json: {"message":{"text":"t"},"tags":["a"],"counts":{"x":2},"note":"n"})");
  EXPECT_EQ(with("message"), R"(application/json: {"text":"t"})");
  EXPECT_EQ(with("tags"), R"(application/json: ["a"])");
  EXPECT_EQ(with("history"), "application/json: []");
  EXPECT_EQ(with("counts"), R"(application/json: {"x":2})");
  EXPECT_EQ(with("note"), R"(application/json: "n")");
  EXPECT_EQ(with("messageId"), R"(application/json: "")");
  EXPECT_EQ(with("update_mask"), "application/json: null");
  reply.mutable_update_mask()->add_paths("a_b");
  EXPECT_EQ(with("updateMask"), R"(application/json: "aB")");
  reply.mutable_update_mask()->set_paths(0, "A");
  EXPECT_EQ(with("update_mask").substr(0, 83),
            "error: cannot write messaging.UpdateMessageRequest as JSON: field \"updateMask\": the");
  EXPECT_TRUE(with("update_mask").ends_with(" after before ")) << "what was in the buffer stays, and nothing else";

  const codec::ProtoCodec proto;
  messaging::Message small;
  small.set_text("t");
  using Small = Method<messaging::Message, messaging::Message>;
  EXPECT_EQ(Small({{"GET", "/reply", {}, {}}}).write(small, &proto), "application/protobuf: " + small.SerializeAsString());
  EXPECT_EQ(Small({{"GET", "/reply", {}, "text"}}).write(small, &proto), R"(application/json: "t")");
}

}  // namespace
}  // namespace micro::transcoding
