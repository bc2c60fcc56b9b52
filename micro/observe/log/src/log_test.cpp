#include <micro/log/log.hpp>

#include <mutex>

namespace micro::log {
namespace {

class Lines final : public Logger::Sink {
 public:
  void write(Level level, std::string_view line) override {
    std::lock_guard lock(mutex);
    lines.emplace_back(std::string(to_string(level)) + "|" + std::string(line));
  }
  std::mutex mutex;
  std::vector<std::string> lines;
};

TEST(Log, ParsesEveryLevelAndNamesTheOthers) {
  for (const Level level : {Level::kTrace, Level::kDebug, Level::kInfo, Level::kWarn, Level::kError, Level::kOff}) {
    EXPECT_EQ(parse_level(to_string(level)).value(), level);
  }
  const auto bad = parse_level("loud");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(bad.error().message(), testing::HasSubstr("\"loud\" is none of trace, debug"));
}

TEST(Log, WritesTextWithFields) {
  auto lines = std::make_shared<Lines>();
  Logger::Options options;
  options.name = "greeter";
  Logger logger(options, lines);
  logger.info("node joined",
              {{"service", "user"}, {"port", 8080}, {"ok", true}, {"ms", 1.5}, {"note", "two words"}, {"none", ""}});
  EXPECT_THAT(lines->lines,
              testing::ElementsAre("info|[greeter] node joined service=user port=8080 ok=true ms=1.500 note=\"two words\""));
}

TEST(Log, ValuesCannotFakeALine) {
  auto lines = std::make_shared<Lines>();
  Logger logger({}, lines);
  logger.warn("a\nb", {{"v", "x\n12:00 error fake=1"}, {"quote", "say \"hi\""}});
  EXPECT_THAT(lines->lines, testing::ElementsAre("warn|a\\nb v=\"x\\n12:00 error fake=1\" quote=\"say \\\"hi\\\"\""));
}

TEST(Log, ValuesCannotSteerATerminal) {
  auto lines = std::make_shared<Lines>();
  Logger logger({}, lines);
  logger.warn(
      "\x1b[2J \xc2\x9b"
      "31m \x7f",
      {{"esc", "\x1b]0;owned\x07"}, {"c1", "\xc2\x9d"}, {"plain", "gr\u00fcn"}});
  EXPECT_THAT(lines->lines,
              testing::ElementsAre("warn|\\u001b[2J \\u009b31m \\u007f esc=\"\\u001b]0;owned\\u0007\" c1=\"\\u009d\" "
                                   "plain=\"gr\u00fcn\""));
}

TEST(Log, BytesThatAreNoUtf8DoNotSpoilTheLine) {
  for (const auto format : {Logger::Format::kText, Logger::Format::kJson}) {
    auto lines = std::make_shared<Lines>();
    Logger::Options options;
    options.format = format;
    Logger logger(options, lines);
    logger.warn("path \xff",
                {{"cut", "\xe2\x82"}, {"overlong", "\xc0\xaf"}, {"surrogate", "\xed\xa0\x80"}, {"good", "\xf0\x9f\x98\x80"}});
    ASSERT_EQ(lines->lines.size(), 1U);
    const std::string& line = lines->lines[0];
    EXPECT_THAT(line, testing::HasSubstr("path \ufffd"));
    EXPECT_THAT(line, testing::HasSubstr("\"\ufffd\ufffd\""));
    EXPECT_THAT(line, testing::HasSubstr("\"\ufffd\ufffd\ufffd\""));
    EXPECT_THAT(line, testing::HasSubstr("\"\U0001f600\""));
    EXPECT_EQ(line.find('\xff'), std::string::npos);
  }
}

TEST(Log, WritesJson) {
  auto lines = std::make_shared<Lines>();
  Logger::Options options;
  options.format = Logger::Format::kJson;
  options.name = "n";
  Logger logger(options, lines);
  logger.error("went \"wrong\"", {{"count", -3}, {"who", "john"}});
  ASSERT_EQ(lines->lines.size(), 1U);
  EXPECT_THAT(lines->lines[0], testing::MatchesRegex("error\\|\\{\"time\":[0-9]+,\"level\":\"error\",\"name\":\"n\",\"message\":"
                                                     "\"went \\\\\"wrong\\\\\"\",\"count\":-3,\"who\":\"john\"\\}"));
}

TEST(Log, LevelHidesAndCanChange) {
  auto lines = std::make_shared<Lines>();
  Logger logger({}, lines);
  logger.debug("hidden");
  EXPECT_FALSE(logger.enabled(Level::kDebug));
  logger.set_level(Level::kDebug);
  logger.debug("seen");
  logger.set_level(Level::kOff);
  logger.error("hidden");
  EXPECT_THAT(lines->lines, testing::ElementsAre("debug|seen"));
}

}  // namespace
}  // namespace micro::log
