#include "json_text.hpp"

#include <gtest/gtest.h>

#include "json_number.hpp"
#include "suggest.hpp"

namespace micro::codec {
namespace {

TEST(PlainPrefix, StopsAtWhatNeedsALook) {
  for (int c = 0; c < 256; ++c) {
    const bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
    for (std::size_t before = 0; before < 20; ++before) {
      const std::string text = std::string(before, 'x') + static_cast<char>(c) + std::string(9, 'y');
      const std::size_t expected = plain ? text.size() : before;
      ASSERT_EQ(plain_prefix(text.data(), text.data() + text.size()), expected) << c << " after " << before;
    }
  }
}

// Every code point, and every pair and many triples of bytes, against the table of RFC 3629.
TEST(Utf8, AcceptsExactlyTheWellFormed) {
  for (char32_t c = 0x80; c <= 0x10ffff; ++c) {
    std::string text;
    append_utf8(text, c);
    const bool surrogate = c >= 0xd800 && c <= 0xdfff;
    ASSERT_EQ(utf8_sequence(text.data(), text.data() + text.size()), surrogate ? 0 : text.size()) << static_cast<unsigned>(c);
    ASSERT_EQ(utf8_sequence(text.data(), text.data() + text.size() - 1), 0u);
  }
  for (const char* bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3x", "\xe2\x82x", "\xf0\x9f\x98x"}) {
    const std::string text = bad;
    EXPECT_EQ(utf8_sequence(text.data(), text.data() + text.size()), 0u) << testing::PrintToString(text);
  }
}

TEST(Base64, GivesBackWhatItGot) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    std::string encoded(base64_size(bytes.size()), '?');
    base64_encode(bytes, encoded.data());
    EXPECT_EQ(base64_decode(encoded), bytes);
    const std::string bare = encoded.substr(0, encoded.find('='));
    EXPECT_EQ(base64_decode(bare), bytes);
    std::string url = bare;
    for (char& c : url) c = c == '+' ? '-' : c == '/' ? '_' : c;
    EXPECT_EQ(base64_decode(url), bytes);
    bytes.push_back(static_cast<char>(i * 37 + 250));
  }
  for (const char* bad :
       {"a", "a=", "a==", "a===", "ab=", "abc==", "====", "=", "ab=c", "a b=", "abcde", "ab\ncd", "ab==", "ab", "abd=", "abd"}) {
    EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
  }
}

TEST(NumberPrefix, FollowsTheGrammar) {
  const std::pair<std::string_view, std::size_t> cases[] = {
      {"0", 1},  {"-0", 2}, {"12", 2}, {"-12.5e+10", 9}, {"1E5", 3}, {"0.0", 3},  {"1x", 1}, {"1 ", 1},  {"", 0},  {"-", 0},
      {"+1", 0}, {".5", 0}, {"01", 0}, {"-01", 0},       {"1.", 0},  {"1.e1", 0}, {"1e", 0}, {"1e+", 0}, {"x", 0}, {"0x1", 1},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(number_prefix(text), expected) << text;
}

TEST(Suggest, FindsTheNearest) {
  const std::vector<std::string_view> known{"displayName", "tags", "address"};
  EXPECT_EQ(suggest("tag", known), R"(; did you mean "tags"?)");
  EXPECT_EQ(suggest("display_name", known), R"(; did you mean "displayName"?)");
  EXPECT_EQ(suggest("Adress", known), R"(; did you mean "address"?)");
  EXPECT_EQ(suggest("q", known), R"(; known are "displayName", "tags", "address")");
  EXPECT_EQ(suggest("", known), R"(; known are "displayName", "tags", "address")");
  EXPECT_EQ(suggest("x", {}), "; there are none");
  EXPECT_EQ(suggest("zzzzz", {"a", "b", "c", "d", "e", "f", "g", "h", "i"}),
            R"(; known are "a", "b", "c", "d", "e", "f", "g", "h", ...)");
}

}  // namespace
}  // namespace micro::codec
