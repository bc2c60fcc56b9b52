#include <micro/http/method.hpp>

#include <gtest/gtest.h>

namespace micro::http {
namespace {

TEST(Method, NamesRoundTrip) {
  for (const Method method : {Method::kGet, Method::kHead, Method::kPost, Method::kPut, Method::kDelete, Method::kConnect,
                              Method::kOptions, Method::kTrace, Method::kPatch}) {
    EXPECT_FALSE(to_string(method).empty());
    EXPECT_EQ(method_from_string(to_string(method)), method);
  }
  EXPECT_EQ(to_string(Method::kPatch), "PATCH");
  EXPECT_EQ(to_string(Method::kOther), "");
  for (const std::string_view name : {"", "get", "GETS", "PROPFIND"}) EXPECT_EQ(method_from_string(name), Method::kOther) << name;
}

TEST(Method, Properties) {
  EXPECT_TRUE(is_safe(Method::kGet));
  EXPECT_FALSE(is_safe(Method::kPut));
  EXPECT_TRUE(is_idempotent(Method::kPut));
  EXPECT_TRUE(is_idempotent(Method::kHead));
  EXPECT_FALSE(is_idempotent(Method::kPost));
  EXPECT_FALSE(is_idempotent(Method::kPatch));
  EXPECT_FALSE(is_idempotent(Method::kOther));
}

}  // namespace
}  // namespace micro::http
