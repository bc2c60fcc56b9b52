#include "dns_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::mdns {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

// A question for greeter.micro., as go-micro asks it.
const std::string kQuestion = "\0\0\0\0\0\1\0\0\0\0\0\0\7greeter\5micro\0\0\x0C\0\1"s;

Message full_message() {
  const Name instance{"greeter-1", "greeter", "micro"};
  const Name host{"box"};
  Message message{.flags = kResponse | kAuthoritative, .questions = {{.name = {"greeter", "micro"}}}};
  message.answers = {
      {.name = {"greeter", "micro"}, .type = Type::kPtr, .ttl = 120, .target = instance},
      {.name = instance, .type = Type::kSrv, .ttl = 120, .target = host, .priority = 10, .weight = 1, .port = 8080},
      {.name = host, .type = Type::kA, .ttl = 120, .data = "\x0A\0\0\x07"s},
      {.name = host, .type = Type::kAaaa, .ttl = 120, .data = std::string(16, '\1')},
      {.name = instance, .type = Type::kTxt, .ttl = 120, .texts = {"abc", "", std::string(255, 'x')}}};
  message.authorities = {{.name = {}, .type = static_cast<Type>(41), .cls = 4096, .data = "anything"}};
  message.additionals = {{.name = instance, .type = Type::kTxt, .ttl = 0}};
  return message;
}

TEST(DnsMessage, AQuestionIsTheseBytes) {
  const Message message{.questions = {{.name = {"greeter", "micro"}}}};
  EXPECT_EQ(encode(message, true).value(), kQuestion);
  EXPECT_EQ(decode(kQuestion).value(), message);
}

TEST(DnsMessage, ThereAndBack) {
  for (const bool compress : {false, true}) {
    const auto bytes = encode(full_message(), compress);
    ASSERT_TRUE(bytes) << bytes.error().to_string();
    const auto back = decode(*bytes);
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_EQ(*back, full_message());
  }
  EXPECT_LT(encode(full_message(), true)->size(), encode(full_message(), false)->size());
}

TEST(DnsMessage, NamesBecomePointersButNotTheTargetOfAService) {
  Message message{.questions = {{.name = {"greeter", "micro"}}}};
  message.answers = {{.name = {"greeter", "micro"}, .type = Type::kSrv, .ttl = 1, .target = {"greeter", "micro"}, .port = 80}};
  const std::string bytes = encode(message, true).value();
  EXPECT_EQ(bytes.substr(kQuestion.size()), "\xC0\x0C\0\x21\0\1\0\0\0\1\0\x15\0\0\0\0\0\x50\7greeter\5micro\0"s);
}

TEST(DnsMessage, EveryPrefixIsRefused) {
  const std::string bytes = encode(full_message(), true).value();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode(bytes.substr(0, size)).error().code(), Code::kInvalidArgument) << size;
  }
  EXPECT_TRUE(decode(bytes + "and more"));
}

TEST(DnsMessage, SaysWhatIsWrong) {
  const std::string header = "\0\0\0\0\0\1\0\0\0\0\0\0"s;
  const std::string record_header = "\0\0\0\0\0\0\0\1\0\0\0\0"s;
  struct Case {
    std::string bytes;
    const char* message;
  };
  const Case cases[] = {
      {"", "it ends too early"},
      {header + "\xC0\x0C\0\1\0\1", "a pointer does not lead backwards at position 12"},
      {header + "\xC0\x20\0\1\0\1", "a pointer does not lead backwards at position 12"},
      {header + "\1a\xC0\x0C\0\1\0\1"s, "a pointer does not lead backwards at position 14"},
      {header + "\x40", "a part of a name is of an unknown kind at position 12"},
      {record_header + "\0\0\1\0\1\0\0\0\0\0\5\1\2\3\4\5"s, "an address of 5 bytes"},
      {record_header + "\0\0\x10\0\1\0\0\0\0\0\2\2ab"s, "the data of a record has not the size it says"},
      {record_header + "\0\0\x0C\0\1\0\0\0\0\0\4\1a\0\0"s, "the data of a record has not the size it says"},
  };
  for (const Case& c : cases) {
    const auto message = decode(c.bytes);
    ASSERT_FALSE(message) << c.message;
    EXPECT_THAT(message.error().message(), HasSubstr(c.message));
  }
}

TEST(DnsMessage, ANameOfPointersEndsAt255Bytes) {
  // Each name adds a part and points to the one before.
  std::string bytes = "\0\0\0\0\0\x14\0\0\0\0\0\0"s;
  std::size_t last = bytes.size();
  bytes += '\x3F' + std::string(63, 'a') + '\0' + "\0\1\0\1"s;
  for (int i = 1; i < 20; ++i) {
    const std::size_t here = bytes.size();
    bytes += '\x3F' + std::string(63, 'a') + '\xC0' + static_cast<char>(last) + "\0\1\0\1"s;
    bytes[here + 64] = static_cast<char>(0xC0 | (last >> 8));
    last = here;
  }
  EXPECT_THAT(decode(bytes).error().message(), HasSubstr("a name is longer than 255 bytes"));
}

TEST(DnsMessage, RefusesToWriteWhatDoesNotFit) {
  const auto code = [](const Record& record) {
    const auto bytes = encode({.answers = {record}}, true);
    return bytes ? Code::kOk : bytes.error().code();
  };
  EXPECT_EQ(code({.name = {""}}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = {std::string(64, 'a')}}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = Name(5, std::string(60, 'a'))}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = {"a"}, .type = Type::kTxt, .texts = {std::string(256, 'x')}}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = {"a"}, .type = Type::kTxt, .texts = std::vector<std::string>(300, std::string(255, 'x'))}),
            Code::kResourceExhausted);
  EXPECT_EQ(code({.name = {"a"}, .type = Type::kTxt, .texts = std::vector<std::string>(250, std::string(255, 'x'))}), Code::kOk);
}

TEST(DnsMessage, NamesAsText) {
  EXPECT_EQ(to_text({"greeter-1", "micro"}), "greeter-1.micro.");
  EXPECT_EQ(to_text({"a.b\\", "\xC3\xA4 "}), "a\\046b\\092.\\195\\164\\032.");
  EXPECT_EQ(to_text({}), ".");
  EXPECT_TRUE(is_below({"a", "b", "c"}, {"b", "c"}));
  EXPECT_FALSE(is_below({"b", "c"}, {"b", "c"}));
  EXPECT_FALSE(is_below({"a", "b", "c"}, {"b", "d"}));
}

}  // namespace
}  // namespace micro::mdns
