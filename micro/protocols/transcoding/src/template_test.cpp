#include <micro/transcoding/template.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::transcoding {
namespace {

using Kind = Template::Kind;
using ::testing::HasSubstr;

// "shelves / * / ** : verb | name=0+2 other=2+1!" - "!" for a variable that may hold slashes.
std::string shape(std::string_view text) {
  const Result<Template> parsed = Template::parse(text);
  if (!parsed) return parsed.error().message();
  std::string out;
  for (const Template::Segment& segment : parsed->segments) {
    const std::string shown = segment.kind == Kind::kAny ? "*" : segment.kind == Kind::kRest ? "**" : "'" + segment.literal + "'";
    out += (out.empty() ? "" : " ") + shown;
  }
  if (!parsed->verb.empty()) out += " :" + parsed->verb;
  for (const Template::Variable& variable : parsed->variables) {
    out += " {" + variable.field + " " + std::to_string(variable.first) + "+" + std::to_string(variable.count) +
           (variable.many ? "!" : "") + "}";
  }
  return out;
}

TEST(Template, TakesApartWhatTheGrammarAllows) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/", ""},
      {"/v1", "'v1'"},
      {"/v1/messages/{message_id}", "'v1' 'messages' * {message_id 2+1}"},
      {"/v1/messages/{message_id=*}", "'v1' 'messages' * {message_id 2+1}"},
      {"/v1/messages/{message_id}/{sub.subfield}", "'v1' 'messages' * * {message_id 2+1} {sub.subfield 3+1}"},
      {"/v1/{name=messages/*}", "'v1' 'messages' * {name 1+2!}"},
      {"/v1/{name=shelves/*/books/*}", "'v1' 'shelves' * 'books' * {name 1+4!}"},
      {"/v1/shelves/{shelf}/books/{book}", "'v1' 'shelves' * 'books' * {shelf 2+1} {book 4+1}"},
      {"/v1/*/books", "'v1' * 'books'"},
      {"/v1/**", "'v1' **"},
      {"/v1/{name=**}", "'v1' ** {name 1+1!}"},
      {"/v1/{name=files/**}", "'v1' 'files' ** {name 1+2!}"},
      {"/v1/{kind=shelf}", "'v1' 'shelf' {kind 1+1}"},
      {"/v1/{name=shelves/*}:archive", "'v1' 'shelves' * :archive {name 1+2!}"},
      {"/v1/{name=**}:move", "'v1' ** :move {name 1+1!}"},
      {"/v1/shelves:merge", "'v1' 'shelves' :merge"},
      {"/v1/*:ping", "'v1' * :ping"},
      {"/v1/urn:isbn:get", "'v1' 'urn:isbn' :get"},
      {"/v1/a:b/c", "'v1' 'a:b' 'c'"},
      {"/v1/{name=a:b/*}", "'v1' 'a:b' * {name 1+2!}"},
      {"/a%20b/%7Eme", "'a b' '~me'"},
      {"/a-b.c_d~e!$&'()+,;=@f", "'a-b.c_d~e!$&'()+,;=@f'"},
      {"/gr\xc3\xb6\xc3\x9f"
       "e",
       "'gr\xc3\xb6\xc3\x9f"
       "e'"},
      {"/v1/x:ver%62", "'v1' 'x' :verb"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(shape(text), expected) << text;
}

TEST(Template, SaysWhereAMalformedOneIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "character 1: a path begins with '/'"},
      {"v1/x", "character 1: a path begins with '/'"},
      {"//", "character 2: a segment is missing"},
      {"/v1/", "character 5: a segment is missing"},
      {"/v1//x", "character 5: a segment is missing"},
      {"/v1/**/x", "character 8: nothing may follow \"**\" but a verb"},
      {"/v1/**/{x}", "character 8: nothing may follow"},
      {"/v1/{a=**}/{b=x}", "character 15: nothing may follow"},
      {"/v1/{a=**/x}", "character 11: nothing may follow"},
      {"/v1/{a=**}/x", "character 12: nothing may follow"},
      {"/v1/a*", "character 6: a wildcard fills a whole segment"},
      {"/v1/***", "character 5: a wildcard fills a whole segment"},
      {"/v1/{", "character 6: expected the name of a field"},
      {"/v1/{}", "character 6: expected the name of a field"},
      {"/v1/{1a}", "character 6: expected the name of a field"},
      {"/v1/{a.}", "character 8: expected the name of a field"},
      {"/v1/{a..b}", "character 8: expected the name of a field"},
      {"/v1/{a-b}", "character 7: '-' cannot stand in the name of a field"},
      {"/v1/{a", "character 7: '}' is missing"},
      {"/v1/{a=", "character 8: a segment is missing"},
      {"/v1/{a=}", "character 8: a segment is missing"},
      {"/v1/{a=x", "character 9: '}' is missing"},
      {"/v1/{a=/x}", "character 8: what a variable matches does not begin with '/'"},
      {"/v1/{a=x/}", "character 10: a segment is missing"},
      {"/v1/{a={b}}", "character 8: a variable inside a variable"},
      {"/v1/{a=x{b}}", "character 9: a variable inside a variable"},
      {"/v1/{a}b", "character 8: a variable fills whole segments"},
      {"/v1/b{a}", "character 6: a variable fills whole segments"},
      {"/v1/{a}{b}", "character 8: a variable fills whole segments"},
      {"/v1/{a}/{a}", "character 10: the variable a occurs twice"},
      {"/v1/a}", "character 6: '}' without '{'"},
      {"/v1/x:", "character 7: a verb is missing after ':'"},
      {"/v1/{a}:", "character 9: a verb is missing after ':'"},
      {"/v1/{a}:x/y", "character 10: a verb is the last of a path"},
      {"/v1/{a}:x:y", "character 10: a verb is the last of a path"},
      {"/v1/{a}:{b}", "character 9: '{' cannot stand in a path"},
      {"/v1/:x", "character 5: a segment is missing"},
      {"/v1/a b", "character 6: character 32 cannot stand in a path"},
      {"/v1/a?b=c", "character 6: '?' cannot stand in a path; percent-encode it"},
      {"/v1/a#b", "character 6: '#' cannot stand in a path"},
      {"/v1/50%", "character 7: '%' is not followed by two hex digits"},
      {"/v1/%zz", "character 5: '%' is not followed by two hex digits"},
  };
  for (const auto& [text, expected] : cases) {
    const Result<Template> parsed = Template::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(parsed.error().message(), HasSubstr("path template \"" + text + "\": " + expected)) << text;
  }
}

TEST(Template, NoPrefixOrAlteredCharacterIsTakenForSomethingElse) {
  const std::string text = "/v1/{name=shelves/*/books/**}:archive";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const Result<Template> parsed = Template::parse(text.substr(0, size));
    if (parsed) EXPECT_EQ(parsed->text, text.substr(0, size));
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string altered = text;
      altered[at] = static_cast<char>(byte);
      const Result<Template> parsed = Template::parse(altered);
      if (!parsed) continue;
      ASSERT_EQ(parsed->text, altered);
      std::size_t covered = 0;
      for (const auto& variable : parsed->variables) {
        ASSERT_LE(variable.first + variable.count, parsed->segments.size()) << altered;
        covered += variable.count;
      }
      ASSERT_LE(covered, parsed->segments.size()) << altered;
    }
  }
}

}  // namespace
}  // namespace micro::transcoding
