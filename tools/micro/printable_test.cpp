#include "printable.hpp"

namespace micro::tool {
namespace {

using namespace std::string_view_literals;

TEST(Printable, EscapesWhatSteersATerminal) {
  const struct {
    std::string_view text;
    std::string_view printed;
  } cases[] = {
      {""sv, ""sv},
      {"plain"sv, "plain"sv},
      {"\0\a\t\n\r\x1b[2J\x1f "sv, R"(\u0000\u0007\u0009\u000a\u000d\u001b[2J\u001f )"sv},
      {"~\x7f"sv, R"(~\u007f)"sv},
      {"\u0080\u009b31m\u009f\u00a0"sv, "\\u0080\\u009b31m\\u009f\u00a0"sv},
      {"a\u061c\u200e\u200fb"sv, R"(a\u061c\u200e\u200fb)"sv},
      {"\u2027\u2028\u2029\u202a\u202e\u202f"sv, "\u2027\\u2028\\u2029\\u202a\\u202e\u202f"sv},
      {"\u2065\u2066\u2069\u206a"sv, "\u2065\\u2066\\u2069\u206a"sv},
      {R"({"text":"a\"\\b"})"sv, R"({"text":"a\"\\b"})"sv},
  };
  for (const auto& c : cases) EXPECT_EQ(printable(c.text), c.printed);
}

TEST(Printable, LeavesOtherTextAlone) {
  for (const std::string_view text :
       {"Grüße"sv, "漢字 かな"sv, "שלום عليكم"sv, "👩‍👧 🇪🇺"sv, "\u07ff\u0800\uffff\U00010000\U0010ffff"sv}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, BytesThatAreNoText) {
  const struct {
    std::string_view text;
    std::string_view printed;
  } cases[] = {
      {"\x80\x9b\xff"sv, R"(\x80\x9b\xff)"sv},
      {"\xc3"sv, R"(\xc3)"sv},
      {"\xc3("sv, R"(\xc3()"sv},
      {"\xe2\x82"sv, R"(\xe2\x82)"sv},
      {"\xf0\x9f\x98!"sv, R"(\xf0\x9f\x98!)"sv},
      // ESC, U+009B and U+202E in overlong forms, which careless readers take for them.
      {"\xc0\x9b"sv, R"(\xc0\x9b)"sv},
      {"\xe0\x82\x9b"sv, R"(\xe0\x82\x9b)"sv},
      {"\xf0\x82\x80\xae"sv, R"(\xf0\x82\x80\xae)"sv},
      {"\xed\xa0\x80"sv, R"(\xed\xa0\x80)"sv},
      {"\xf4\x90\x80\x80"sv, R"(\xf4\x90\x80\x80)"sv},
  };
  for (const auto& c : cases) EXPECT_EQ(printable(c.text), c.printed);
}

TEST(Printable, LinesStayWhereTheyMay) { EXPECT_EQ(printable("a\nb\r\x1b", true), "a\nb\\u000d\\u001b"); }

}  // namespace
}  // namespace micro::tool
