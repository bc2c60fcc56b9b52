#include <micro/http/field.hpp>

#include <gtest/gtest.h>

namespace micro::http {
namespace {

TEST(CharClass, FollowsTheGrammar) {
  constexpr std::string_view kTokens = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    EXPECT_EQ(has_class(c, kTokenChar), kTokens.contains(c)) << i;
    EXPECT_EQ(has_class(c, kFieldChar), i == '\t' || (i >= 32 && i != 127)) << i;
    EXPECT_EQ(has_class(c, kTargetChar), i > 32 && i < 127 && i != '#') << i;
  }
}

TEST(FieldValue, IsCheckedAtEveryPlace) {
  for (std::size_t size = 0; size < 40; ++size) {
    EXPECT_TRUE(is_field_value(std::string(size, 'x')));
    for (std::size_t at = 0; at < size; ++at) {
      for (int i = 0; i < 256; ++i) {
        std::string text(size, '\xff');
        text[at] = static_cast<char>(i);
        ASSERT_EQ(is_field_value(text), has_class(text[at], kFieldChar)) << i << " at " << at << " of " << size;
      }
    }
  }
}

TEST(FieldValue, SkippingStopsAtTheFirstBadByte) {
  constexpr std::string_view kText = "tab\tand blank then\x7f\r\n";
  const char* stop = skip_field_chars(kText.data(), kText.data() + kText.size());
  EXPECT_EQ(*stop, '\x7f');
}

TEST(Token, IsNotEmpty) {
  EXPECT_TRUE(is_token("X-Request-Id"));
  for (const std::string_view text : {"", "a b", "a:", "a\r", "\xc3\xa9"}) EXPECT_FALSE(is_token(text)) << text;
}

TEST(Authority, IsHostAndPort) {
  for (const std::string_view text :
       {"", "a", "a.example:80", "a:", "127.0.0.1:1", "[::1]", "[::1]:8080", "[v1.x]", "%41", "a_b"}) {
    EXPECT_TRUE(is_authority(text)) << text;
  }
  for (const std::string_view text :
       {":80",    "a:b",     "a:1:2", "a:123456", "u@a",    "a/b", "a b", "a,b c", "::1", "[::1",    "[]",
        "[::1]x", "[::1]:x", "a[",    "a]",       "[[::1]", "a#",  "a?b", "a\\b",  "a\"", "\xc3\xa9"}) {
    EXPECT_FALSE(is_authority(text)) << text;
  }
}

TEST(List, GivesItems) {
  const auto items = [](std::string_view list) {
    std::string out;
    for (std::string_view item; next_list_item(list, item);) out.append("<").append(item).append(">");
    return out;
  };
  EXPECT_EQ(items("a"), "<a>");
  EXPECT_EQ(items(" a , b\t,c "), "<a><b><c>");
  EXPECT_EQ(items(",, a,,b,"), "<a><b>");
  EXPECT_EQ(items(" , "), "");
  EXPECT_EQ(items(""), "");
  EXPECT_TRUE(list_contains("keep-alive, UPGRADE", "upgrade"));
  EXPECT_FALSE(list_contains("keep-alive, upgrades", "upgrade"));
}

TEST(Blanks, AreTrimmed) {
  EXPECT_EQ(trim_blanks(" \ta b\t "), "a b");
  EXPECT_EQ(trim_blanks(" \t "), "");
  EXPECT_EQ(trim_blanks("\ra\n"), "\ra\n");
}

}  // namespace
}  // namespace micro::http
