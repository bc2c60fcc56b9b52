#include <micro/http/message.hpp>

#include <gtest/gtest.h>

namespace micro::http {
namespace {

TEST(Request, QueryValues) {
  Request request;
  request.query = "a=1&b=x%20y&b=2&c";
  EXPECT_EQ(request.query_value("a"), "1");
  EXPECT_EQ(request.query_value("b"), "x y");
  EXPECT_EQ(request.query_value("c"), "");
  EXPECT_EQ(request.query_value("d"), std::nullopt);
  request.query = "a=%zz";
  EXPECT_EQ(request.query_value("a"), std::nullopt);
}

TEST(Response, Factories) {
  const Response json = Response::json("{}", 201);
  EXPECT_EQ(json.status, 201);
  EXPECT_EQ(json.headers.get("content-type"), "application/json");
  EXPECT_EQ(json.body, "{}");
  EXPECT_EQ(Response::text("hi").headers.get("content-type"), "text/plain; charset=utf-8");
  const Response error = Response::from_error(not_found("no"));
  EXPECT_EQ(error.status, 404);
  EXPECT_EQ(error.headers.get("content-type"), "application/json");
  EXPECT_EQ(error.body, R"({"code":"NOT_FOUND","message":"no"})");
}

}  // namespace
}  // namespace micro::http
