#include <micro/sse/parser.hpp>

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include <micro/sse/writer.hpp>

namespace micro::sse {
namespace {

using namespace std::string_view_literals;

// One line an event, "type|data|id", with \n for line breaks; the reads are copied to the heap so that a view kept too long is
// found.
std::string transcript(Parser& parser, std::string_view bytes, std::size_t step) {
  std::string out;
  while (!bytes.empty()) {
    const std::string read(bytes.substr(0, step));
    bytes.remove_prefix(read.size());
    std::string_view input = read;
    while (true) {
      const auto more = parser.next(input);
      if (!more) return out + "ERROR " + std::string(to_string(more.error().code())) + "\n";
      if (!*more) break;
      const ReceivedEvent& event = parser.event();
      std::string line = std::string(event.type).append("|").append(event.data).append("|").append(event.last_event_id);
      for (std::size_t at; (at = line.find('\n')) != std::string::npos;) line.replace(at, 1, "\\n");
      out += line + "\n";
    }
    EXPECT_TRUE(input.empty());
  }
  return out;
}

std::string parse(std::string_view bytes, const Limits& limits = {}) {
  Parser whole(limits);
  const std::string expected = transcript(whole, bytes, std::max<std::size_t>(bytes.size(), 1));
  for (const std::size_t step : {1, 2, 3, 7}) {
    Parser parser(limits);
    EXPECT_EQ(transcript(parser, bytes, step), expected) << "in steps of " << step << ": " << bytes;
  }
  return expected;
}

TEST(Parser, Events) {
  const struct {
    std::string_view name;
    std::string_view bytes;
    std::string_view events;
  } rows[] = {
      {"one", "data: a\n\n", "message|a|\n"},
      {"lines joined", "data: a\ndata: b\n\n", "message|a\\nb|\n"},
      {"no blank", "data:a\n\n", "message|a|\n"},
      {"one blank belongs to the field", "data:  a\n\n", "message| a|\n"},
      {"empty data is data", "data:\n\n", "message||\n"},
      {"a field without a colon has an empty value", "data\n\n", "message||\n"},
      {"two of them", "data\ndata\n\n", "message|\\n|\n"},
      {"a colon in the value", "data: a: b\n\n", "message|a: b|\n"},
      {"type", "event: add\ndata: 1\n\n", "add|1|\n"},
      {"the last type wins", "event: a\nevent: b\ndata: 1\n\n", "b|1|\n"},
      {"the type is for one event", "event: a\ndata: 1\n\ndata: 2\n\n", "a|1|\nmessage|2|\n"},
      {"a type without data is forgotten", "event: a\n\ndata: 2\n\n", "message|2|\n"},
      {"an empty type is none", "event\ndata: 2\n\n", "message|2|\n"},
      {"comments", ":\n: x\ndata: 1\n:y\n\n:z\n\n", "message|1|\n"},
      {"unknown fields", "foo: 1\ndata: 1\nDATA: 2\n data: 3\n\n", "message|1|\n"},
      {"id stays", "id: 7\ndata: 1\n\ndata: 2\n\n", "message|1|7\nmessage|2|7\n"},
      {"id is reset", "id: 7\ndata: 1\n\nid\ndata: 2\n\n", "message|1|7\nmessage|2|\n"},
      {"id without data counts", "id: 7\n\ndata: 2\n\n", "message|2|7\n"},
      {"id with NUL is ignored", "id: 7\ndata: 1\n\nid: 8\0009\ndata: 2\n\n"sv, "message|1|7\nmessage|2|7\n"},
      {"CR", "data: 1\r\rdata: 2\r\r", "message|1|\nmessage|2|\n"},
      {"CRLF", "data: 1\r\n\r\ndata: 2\r\n\r\n", "message|1|\nmessage|2|\n"},
      {"all of them", "data: 1\r\ndata: 2\rdata: 3\n\r\n\n\r", "message|1\\n2\\n3|\n"},
      {"LF CR is two ends", "data: 1\n\rdata: 2\n\n", "message|1|\nmessage|2|\n"},
      {"byte order mark",
       "\xef\xbb\xbf"
       "data: 1\n\n",
       "message|1|\n"},
      {"only one of them",
       "\xef\xbb\xbf\xef\xbb\xbf"
       "data: 1\n\n",
       ""},
      {"only at the start",
       "data: 1\n\n\xef\xbb\xbf"
       "data: 2\n\n",
       "message|1|\n"},
      {"what begins like one",
       "\xef\xbb"
       "data: 1\ndata: 2\n\n",
       "message|2|\n"},
      {"a comment that begins with half a mark", "\xef\n\ndata: 2\n\n", "message|2|\n"},
      {"unfinished", "data: 1\n", ""},
      {"unfinished line", "data: 1\n\ndata: 2", "message|1|\n"},
      {"nothing", "", ""},
      {"empty lines", "\n\n\r\n\r", ""},
      {"not UTF-8", "data: \xff\n\n", "message|\xff|\n"},
  };
  for (const auto& row : rows) EXPECT_EQ(parse(row.bytes), row.events) << row.name;
}

TEST(Parser, TheStandardsExamples) {
  EXPECT_EQ(parse(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n"),
            "message|first event|1\nmessage|second event|\n");
  EXPECT_EQ(parse("data\n\ndata\ndata\n\ndata:"), "message||\nmessage|\\n|\n");
  EXPECT_EQ(parse("data:test\n\ndata: test\n\n"), "message|test|\nmessage|test|\n");
}

TEST(Parser, Retry) {
  const struct {
    std::string_view value;
    std::optional<Duration> retry;
  } rows[] = {
      {"retry: 1500\n", std::chrono::milliseconds(1500)},
      {"retry:0\n", std::chrono::milliseconds(0)},
      {"retry: 007\n", std::chrono::milliseconds(7)},
      {"retry: -1\n", std::nullopt},
      {"retry: +1\n", std::nullopt},
      {"retry: 1s\n", std::nullopt},
      {"retry: 1.5\n", std::nullopt},
      {"retry:  1\n", std::nullopt},
      {"retry:\n", std::nullopt},
      {"retry\n", std::nullopt},
      {"retry: 99999999999999999999999\n", std::chrono::hours(24 * 365)},
      {"retry: 9\nretry: x\n", std::chrono::milliseconds(9)},
  };
  for (const auto& row : rows) {
    Parser parser;
    std::string_view input = row.value;
    EXPECT_EQ(parser.next(input), false);
    EXPECT_EQ(parser.retry(), row.retry) << row.value;
  }
}

TEST(Parser, LimitsOfData) {
  const Limits limits{.max_event = 8};
  EXPECT_EQ(parse("data: 12345678\n\n", limits), "message|12345678|\n");
  EXPECT_EQ(parse("data: 123\ndata: 4567\n\n", limits), "message|123\\n4567|\n");
  EXPECT_EQ(parse("data: 123456789\n\n", limits), "ERROR RESOURCE_EXHAUSTED\n");
  EXPECT_EQ(parse("data: 1234\ndata: 5678\n\n", limits), "ERROR RESOURCE_EXHAUSTED\n");
  EXPECT_EQ(parse("data:123456789\n\n", limits), "ERROR RESOURCE_EXHAUSTED\n");
  EXPECT_EQ(parse(": a comment of any length", limits), "ERROR RESOURCE_EXHAUSTED\n")
      << "without waiting for the end of the line";
  EXPECT_EQ(parse("data: 1\n\n: a comment of any length", limits), "message|1|\nERROR RESOURCE_EXHAUSTED\n");
}

TEST(Parser, LimitsOfNames) {
  const Limits limits{.max_name = 3};
  EXPECT_EQ(parse("event: abc\nid: 123\ndata: 1\n\n", limits), "abc|1|123\n");
  EXPECT_EQ(parse("event: abcd\ndata: 1\n\n", limits), "ERROR RESOURCE_EXHAUSTED\n");
  EXPECT_EQ(parse("id: 1234\ndata: 1\n\n", limits), "ERROR RESOURCE_EXHAUSTED\n");
  Parser parser(limits);
  std::string_view input = "id: 1234\n";
  const auto more = parser.next(input);
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().message(), "cannot read the event stream: an event type or id is larger than the limit of 3 bytes");
  input = "data: 1\n\n";
  EXPECT_FALSE(parser.next(input).has_value()) << "an error is final";
  parser.reset();
  EXPECT_EQ(transcript(parser, "data: 1\n\n", 100), "message|1|\n");
}

TEST(Parser, ResetKeepsWhatAReconnectNeeds) {
  Parser parser;
  EXPECT_EQ(transcript(parser, "id: 7\nretry: 9\ndata: 1\n\nid: 8\nevent: x\ndata: cut o", 1), "message|1|7\n");
  EXPECT_EQ(parser.last_event_id(), "7") << "the id of an event that was cut off does not count";
  parser.reset();
  EXPECT_EQ(parser.last_event_id(), "7");
  EXPECT_EQ(parser.retry(), std::chrono::milliseconds(9));
  EXPECT_EQ(transcript(parser,
                       "\xef\xbb\xbf"
                       "data: 2\n\n",
                       1),
            "message|2|7\n");
}

// What the writer writes is what the parser reads, whatever the data and the cuts.
TEST(Property, RoundTrip) {
  std::mt19937 random(11);
  const auto text = [&](std::string_view alphabet, std::size_t most) {
    std::string out(random() % (most + 1), '\0');
    for (char& c : out) c = alphabet[random() % alphabet.size()];
    return out;
  };
  for (int round = 0; round < 2000; ++round) {
    Buffer bytes;
    std::string expected;
    std::string last_id;
    for (unsigned i = 0; i < 1 + random() % 4; ++i) {
      const std::string data = text("ab: \n\r\xc3\xa4{}", 12);
      const std::string type = text("xyz: ", 3);
      const std::string id = text("0123 :", 3);
      const bool has_id = random() % 2 == 0;
      if (has_id) last_id = id;
      Event event{.data = data, .type = type};
      if (has_id) event.id = id;
      ASSERT_TRUE(write_event(bytes, event).has_value());
      if (random() % 3 == 0) write_comment(bytes, data);
      std::string lines;
      for (std::size_t at = 0; at < data.size(); ++at) {
        if (data[at] == '\r') {
          lines += "\\n";
          if (at + 1 < data.size() && data[at + 1] == '\n') ++at;
        } else {
          lines += data[at] == '\n' ? std::string("\\n") : std::string(1, data[at]);
        }
      }
      expected += (type.empty() ? "message" : type) + "|" + lines + "|" + last_id + "\n";
    }
    Parser parser;
    ASSERT_EQ(transcript(parser, bytes.view(), 1 + random() % 20), expected) << bytes.view();
  }
}

// Nonsense never breaks it, and its result does not depend on the cuts.
TEST(Property, NonsenseInAnyPieces) {
  std::mt19937 random(12);
  constexpr std::string_view kAlphabet = "data:event:id:retry: \n\r\n\r\xef\xbb\xbf\0x1"sv;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes(random() % 60, '\0');
    for (char& c : bytes) c = kAlphabet[random() % kAlphabet.size()];
    Parser whole({.max_event = 20, .max_name = 4});
    Parser pieces({.max_event = 20, .max_name = 4});
    ASSERT_EQ(transcript(whole, bytes, 100), transcript(pieces, bytes, 1 + random() % 5)) << bytes;
  }
}

}  // namespace
}  // namespace micro::sse
