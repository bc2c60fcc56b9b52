#include <micro/http/media_type.hpp>

#include <gtest/gtest.h>

namespace micro::http {
namespace {

TEST(MediaType, Parses) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"application/json", "application/json"},
      {" Text/HTML ", "text/html"},
      {"text/plain;charset=UTF-8", "text/plain; charset=UTF-8"},
      {"text/plain ; Charset = utf-8", ""},
      {"text/plain;; a=b;", "text/plain; a=b"},
      {"a/b; x=\"y z\"; q=\"\\\"\\\\\"; e=\"\"", "a/b; x=\"y z\"; q=\"\\\"\\\\\"; e=\"\""},
      {"application/grpc+proto", "application/grpc+proto"},
      {"*/*", "*/*"},
      {"", ""},
      {"json", ""},
      {"/json", ""},
      {"a/", ""},
      {"a/b c", ""},
      {"a/b; c", ""},
      {"a/b; =c", ""},
      {"a/b; c=", ""},
      {"a/b; c=\"d", ""},
      {"a/b; c=\"d\\", ""},
      {"a/b; c=\"d\"e", ""},
      {"a/b; c=\"d\ne\"", ""},
      {"a/b\r\n", ""},
  };
  for (const auto& [text, expected] : cases) {
    const auto type = MediaType::parse(text);
    EXPECT_EQ(type ? type->to_string() : "", expected) << text;
    if (!type) EXPECT_EQ(type.error().code(), Code::kInvalidArgument) << text;
  }
}

TEST(MediaType, HasParts) {
  const auto type = MediaType::parse("Application/Problem+JSON; Charset=\"UTF-8\"");
  ASSERT_TRUE(type.has_value());
  EXPECT_EQ(type->type, "application");
  EXPECT_EQ(type->subtype, "problem+json");
  EXPECT_EQ(type->suffix(), "json");
  ASSERT_NE(type->find("charset"), nullptr);
  EXPECT_EQ(*type->find("charset"), "UTF-8");
  EXPECT_EQ(type->find("boundary"), nullptr);
  EXPECT_EQ(MediaType::parse("a/b")->suffix(), "");
}

TEST(MediaType, IsComparedWithoutParsing) {
  EXPECT_TRUE(is_media_type("Application/JSON ; charset=utf-8", "application/json"));
  EXPECT_TRUE(is_media_type(" application/json", "application/json"));
  EXPECT_FALSE(is_media_type("application/json5", "application/json"));
  EXPECT_FALSE(is_media_type("", "application/json"));
  EXPECT_EQ(media_type_essence("a/b;c=d"), "a/b");
}

TEST(MediaType, ErrorNamesTheText) {
  const auto type = MediaType::parse("json");
  ASSERT_FALSE(type.has_value());
  EXPECT_EQ(type.error().message(), "cannot read media type 'json': expected type/subtype, such as application/json");
}

}  // namespace
}  // namespace micro::http
