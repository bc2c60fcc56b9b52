#include <micro/mucp/error.hpp>

#include <gtest/gtest.h>

namespace micro::mucp {
namespace {

using namespace std::string_literals;

// Both ways, and the same again.
void expect_text(const Error& error, std::string_view text) {
  EXPECT_EQ(encode_error(error), text);
  EXPECT_EQ(decode_error(text), error) << decode_error(text).to_string();
}

TEST(ErrorJson, AsGoWritesIt) {
  expect_text(not_found("no such name").with("micro_id", "greeter.fail"),
              R"({"id":"greeter.fail","code":404,"detail":"no such name","status":"Not Found"})");
}

TEST(ErrorJson, ZeroValuesAreLeftOut) {
  expect_text(not_found("x"), R"({"code":404,"detail":"x","status":"Not Found"})");
  expect_text(not_found(""), R"({"code":404,"status":"Not Found"})");
  expect_text(unknown("x").with("http_status", "0").with("micro_id", "a.b"), R"({"id":"a.b","detail":"x"})");
}

TEST(ErrorJson, HtmlIsEscapedAsInGo) {
  expect_text(internal("a <b> & \"c\" \\ \n\t\x01\x7f \u00e4 \u2028"),
              "{\"code\":500,\"detail\":\"a \\u003cb\\u003e \\u0026 \\\"c\\\" \\\\ \\n\\t\\u0001\\u007f \u00e4 "
              "\\u2028\",\"status\":\"Internal Server Error\"}");
  EXPECT_EQ(encode_error(internal("\xff")), R"({"code":500,"detail":"\ufffd","status":"Internal Server Error"})");
}

TEST(ErrorJson, CodesOfGoMicro) {
  const std::pair<Error, int> rows[] = {
      {invalid_argument("x"), 400},  {unauthenticated("x"), 401}, {permission_denied("x"), 403},   {not_found("x"), 404},
      {deadline_exceeded("x"), 408}, {already_exists("x"), 409},  {failed_precondition("x"), 412}, {resource_exhausted("x"), 429},
      {cancelled("x"), 499},         {internal("x"), 500},        {unimplemented("x"), 501},       {unavailable("x"), 503}};
  for (const auto& [error, status] : rows) {
    EXPECT_EQ(status_from(error), status) << error.to_string();
    EXPECT_EQ(code_from_status(status), error.code()) << status;
    const std::string text = encode_error(error);
    EXPECT_NE(text.find("\"code\":" + std::to_string(status)), std::string::npos) << text;
    EXPECT_EQ(text.find("grpc_status"), std::string::npos) << text;
    EXPECT_EQ(decode_error(text), error);
  }
  expect_text(deadline_exceeded("x"), R"({"code":408,"detail":"x","status":"Request Timeout"})");
}

TEST(ErrorJson, CodesThatShareANumberAreToldBesides) {
  expect_text(aborted("x"), R"({"code":409,"detail":"x","status":"Conflict","grpc_status":"ABORTED"})");
  expect_text(out_of_range("x"), R"({"code":400,"detail":"x","status":"Bad Request","grpc_status":"OUT_OF_RANGE"})");
  expect_text(data_loss("x"), R"({"code":500,"detail":"x","status":"Internal Server Error","grpc_status":"DATA_LOSS"})");
  expect_text(unknown("x").with_reason("BOOM"),
              R"({"id":"BOOM","code":500,"detail":"x","status":"Internal Server Error","grpc_status":"UNKNOWN"})");
}

TEST(ErrorJson, ReasonAndMetadata) {
  expect_text(not_found("x").with_reason("NO_USER"), R"({"id":"NO_USER","code":404,"detail":"x","status":"Not Found"})");
  expect_text(not_found("x").with_reason("NO_USER").with("micro_id", "users").with("tenant", "acme"),
              R"({"id":"users","code":404,"detail":"x","status":"Not Found","reason":"NO_USER","metadata":{"tenant":"acme"}})");
  expect_text(not_found("x").with_reason("odd reason"),
              R"({"code":404,"detail":"x","status":"Not Found","reason":"odd reason"})");
}

TEST(ErrorJson, NumbersOfOthersComeBack) {
  for (const std::string_view text :
       {R"({"id":"a","code":504,"detail":"x","status":"Gateway Timeout"})",
        R"({"id":"a","code":413,"detail":"x","status":"Request Entity Too Large"})", R"({"id":"a","code":100401,"detail":"x"})",
        R"({"id":"a","code":200,"detail":"x","status":"OK"})", R"({"id":"a","code":-1,"detail":"x"})",
        R"({"id":"a","code":422,"detail":"x","status":"Unprocessable Entity"})",
        R"({"id":"a","code":404,"detail":"x","status":"Nothing"})", R"({"id":"a","code":404,"detail":"x"})",
        R"({"id":"go.micro.client","code":408,"detail":"\u003cnil\u003e","status":"Request Timeout"})"}) {
    EXPECT_EQ(encode_error(decode_error(text)), text);
  }
  EXPECT_EQ(decode_error(R"({"code":504,"status":"Gateway Timeout"})").code(), Code::kDeadlineExceeded);
  EXPECT_EQ(decode_error(R"({"code":413})").code(), Code::kResourceExhausted);
}

TEST(ErrorText, WhatIsNoJsonIsTheMessage) {
  expect_text(unknown("boom"), "boom");
  expect_text(unknown("{not json"), "{not json");
  expect_text(unknown(R"({"errors":[{"code":404}]})"), R"({"errors":[{"code":404}]})");
  expect_text(unknown(R"({"code":"404"})"), R"({"code":"404"})");
  expect_text(unimplemented("rpc: can't find service A"), "rpc: can't find service A");
  expect_text(unimplemented("rpc: can't find method B"), "rpc: can't find method B");
  expect_text(invalid_argument("rpc: service/endpoint request ill-formed: X"), "rpc: service/endpoint request ill-formed: X");
  expect_text(invalid_argument("rpc: router cannot decode request: x"), "rpc: router cannot decode request: x");
}

TEST(ErrorText, OnlyWhereItSaysAll) {
  for (const std::string& message : {""s, "EOS"s, " x"s, "a\nb"s, R"({"code":404})"s, "a\x7f"s}) {
    const std::string text = encode_error(unknown(message));
    EXPECT_EQ(text.front(), '{') << text;
    EXPECT_EQ(decode_error(text), unknown(message)) << text;
  }
}

TEST(Detail, BytesOfErrorsError) {
  // Any{type_url = "type.googleapis.com/errors.Error", value = Error{id, code, detail, status}}
  const std::string value =
      "\x0a\x01"
      "a\x10\x94\x03\x1a\x01x\"\x09Not Found";
  const std::string any = "\x0a\x20type.googleapis.com/errors.Error\x12\x14"s + value;
  EXPECT_EQ(encode_detail(not_found("x").with("micro_id", "a")), any);

  Error received(Code::kNotFound, R"({"id":"a","code":404,"detail":"x","status":"Not Found"})");
  received.add_detail(any);
  Error wanted = not_found("x").with("micro_id", "a");
  wanted.add_detail(any);
  EXPECT_EQ(refine(received), wanted);
}

TEST(Detail, TakesThePlaceOfAnOlderOne) {
  Error error = not_found("new");
  error.add_detail(
      "\x0a\x03"
      "a/b");
  error.add_detail(encode_detail(not_found("old")));
  EXPECT_EQ(with_detail(error).details(), (std::vector<std::string>{encode_detail(not_found("new")),
                                                                    "\x0a\x03"
                                                                    "a/b"}));
  EXPECT_EQ(with_detail(error).message(), "new");
}

TEST(Detail, JsonInTheMessageWithoutOne) {
  EXPECT_EQ(refine(Error(Code::kUnknown, R"({"id":"a","code":418,"detail":"x","status":"I'm a teapot"})")).message(), "x");
  EXPECT_EQ(refine(not_found("plain")), not_found("plain"));
  Error damaged = not_found("plain");
  damaged.add_detail("\x0a\x20type.googleapis.com/errors.Error\x12\x02\x0a\x05");
  EXPECT_EQ(refine(damaged), damaged);
}

TEST(Detail, TheStatusSaysWhichOfTwoCodes) {
  Error received = aborted("x");
  received.add_detail(encode_detail(aborted("x")));
  EXPECT_EQ(refine(received).code(), Code::kAborted);
  EXPECT_EQ(refine(received).metadata().size(), 0u);
}

}  // namespace
}  // namespace micro::mucp
