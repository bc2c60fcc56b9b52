#include <micro/http/error.hpp>

#include <gtest/gtest.h>

namespace micro::http {
namespace {

TEST(ErrorStatus, FollowsTheCode) {
  const std::pair<Code, int> cases[] = {
      {Code::kOk, 200},
      {Code::kCancelled, 499},
      {Code::kUnknown, 500},
      {Code::kInvalidArgument, 400},
      {Code::kDeadlineExceeded, 504},
      {Code::kNotFound, 404},
      {Code::kAlreadyExists, 409},
      {Code::kPermissionDenied, 403},
      {Code::kResourceExhausted, 429},
      {Code::kFailedPrecondition, 400},
      {Code::kAborted, 409},
      {Code::kOutOfRange, 400},
      {Code::kUnimplemented, 501},
      {Code::kInternal, 500},
      {Code::kUnavailable, 503},
      {Code::kDataLoss, 500},
      {Code::kUnauthenticated, 401},
  };
  for (const auto& [code, status] : cases) EXPECT_EQ(status_from(code), status) << to_string(code);
}

TEST(ErrorStatus, IsOverriddenByMetadata) {
  EXPECT_EQ(status_from(not_found("x").with("http_status", "410")), 410);
  for (const char* bad : {"", "200", "399", "600", "4o4", "404 ", "-404", "99999999999"}) {
    EXPECT_EQ(status_from(unavailable("x").with("http_status", bad)), 503) << bad;
  }
}

TEST(ErrorStatus, GivesTheNearestCode) {
  const std::pair<int, Code> cases[] = {
      {400, Code::kInvalidArgument},
      {401, Code::kUnauthenticated},
      {403, Code::kPermissionDenied},
      {404, Code::kNotFound},
      {405, Code::kUnimplemented},
      {408, Code::kDeadlineExceeded},
      {409, Code::kAborted},
      {410, Code::kNotFound},
      {412, Code::kFailedPrecondition},
      {413, Code::kResourceExhausted},
      {416, Code::kOutOfRange},
      {418, Code::kInvalidArgument},
      {429, Code::kResourceExhausted},
      {499, Code::kCancelled},
      {500, Code::kInternal},
      {501, Code::kUnimplemented},
      {502, Code::kUnavailable},
      {503, Code::kUnavailable},
      {504, Code::kDeadlineExceeded},
      {599, Code::kInternal},
      {200, Code::kOk},
      {204, Code::kOk},
      {302, Code::kUnknown},
      {700, Code::kUnknown},
  };
  for (const auto& [status, code] : cases) EXPECT_EQ(code_from_status(status), code) << status;
}

TEST(ErrorStatus, IsKeptByErrorWithStatus) {
  for (int status = 400; status < 600; ++status) {
    const Error error = error_with_status(status, "R", "m");
    EXPECT_EQ(status_from(error), status);
    EXPECT_EQ(error.find("http_status") == nullptr, status_from(error.code()) == status);
  }
}

TEST(ErrorJson, IsWritten) {
  EXPECT_EQ(error_json(not_found("no user")), R"({"code":"NOT_FOUND","message":"no user"})");
  EXPECT_EQ(
      error_json(not_found("no user").with_reason("NO_USER").with("tenant", "acme").with("n", "1").with("tenant", "second")),
      R"({"code":"NOT_FOUND","reason":"NO_USER","message":"no user","metadata":{"tenant":"acme","n":"1"}})");
}

TEST(ErrorJson, EscapesEverythingThatNeedsIt) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"\"\\/"sv, R"("\"\\/")"sv},
      {"\b\f\n\r\t"sv, R"("\b\f\n\r\t")"sv},
      {"\0\x01\x1f\x7f"sv, R"("\u0000\u0001\u001f\u007f")"sv},
      {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"sv, "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\""sv},
      {"\x80"sv, "\"\xef\xbf\xbd\""sv},                                                  // a continuation byte alone
      {"a\xc3"sv, "\"a\xef\xbf\xbd\""sv},                                                // cut off
      {"\xc0\xaf"sv, "\"\xef\xbf\xbd\xef\xbf\xbd\""sv},                                  // overlong
      {"\xed\xa0\x80"sv, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""sv},                  // surrogate
      {"\xf4\x90\x80\x80"sv, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""sv},  // past U+10FFFF
      {"\xe2\x82x"sv, "\"\xef\xbf\xbd\xef\xbf\xbdx\""sv},
  };
  for (const auto& [text, json] : cases) {
    EXPECT_EQ(error_json(internal(std::string(text))), R"({"code":"INTERNAL","message":)" + std::string(json) + "}");
  }
}

TEST(ErrorJson, ComesBackWithoutLoss) {
  for (int number = 1; number <= 16; ++number) {
    Error error(code_from_number(number), "WHY_NOT", "line one\nline \"two\" \xe2\x82\xac");
    error.with("b", "2").with("a", std::string("\0\x1f", 2)).with("empty", "");
    EXPECT_EQ(error_from_response(status_from(error), error_json(error)), error) << number;
    error.with("http_status", "422");
    EXPECT_EQ(error_from_response(422, error_json(error)), error) << number;
  }
}

TEST(ErrorJson, AcceptsOtherDialects) {
  const Error kratos =
      error_from_response(404, R"({"code":404,"reason":"USER_NOT_FOUND","message":"no","metadata":{"a":"b","n":1}})");
  EXPECT_EQ(kratos, Error(Code::kNotFound, "USER_NOT_FOUND", "no").with("a", "b").with("n", "1"));
  const Error gateway = error_from_response(404, R"({"code":5,"message":"no","details":[]})");
  EXPECT_EQ(gateway, Error(Code::kNotFound, "no"));
  const Error status_differs = error_from_response(418, R"({"code":"NOT_FOUND","message":"no"})");
  EXPECT_EQ(status_differs.code(), Code::kNotFound);
  EXPECT_EQ(status_from(status_differs), 418);
}

TEST(ErrorJson, MakesSenseOfAnyBody) {
  const std::tuple<int, std::string_view, Code, std::string_view> cases[] = {
      {404, "", Code::kNotFound, "HTTP status 404 Not Found"},
      {502, "<html>bad\ngateway</html>\r\n", Code::kUnavailable, "HTTP status 502 Bad Gateway: <html>bad gateway</html>"},
      {499, "[]", Code::kCancelled, "HTTP status 499 Client Closed Request: []"},
      {599, "null", Code::kInternal, "HTTP status 599: null"},
      {500, R"({"code":"NOPE"})", Code::kInternal, R"(HTTP status 500 Internal Server Error: {"code":"NOPE"})"},
      {500, R"({"code":17})", Code::kInternal, R"(HTTP status 500 Internal Server Error: {"code":17})"},
      {500, R"({"code":{}})", Code::kInternal, R"(HTTP status 500 Internal Server Error: {"code":{}})"},
      {403, R"({"code":"NOT_FOUND","message":7,"reason":[],"metadata":[]})", Code::kNotFound, "HTTP status 403 Forbidden"},
      {400, R"({"code":"NOT_FOUND")", Code::kInvalidArgument, R"(HTTP status 400 Bad Request: {"code":"NOT_FOUND")"},
  };
  for (const auto& [status, body, code, message] : cases) {
    const Error error = error_from_response(status, body);
    EXPECT_EQ(error.code(), code) << body;
    EXPECT_EQ(error.message(), message) << body;
    EXPECT_EQ(status_from(error), status) << body;
  }
  EXPECT_EQ(error_from_response(500, std::string(1000, 'x')).message().size(),
            256 + std::string_view("HTTP status 500 Internal Server Error: ").size());
}

TEST(ErrorJson, SurvivesDeepNesting) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const Error error = error_from_response(404, R"({"code":"NOT_FOUND","message":"m","metadata":{"a":)" + deep + R"(,"b":"c"}})");
  EXPECT_EQ(error, not_found("m").with("b", "c"));
}

}  // namespace
}  // namespace micro::http
