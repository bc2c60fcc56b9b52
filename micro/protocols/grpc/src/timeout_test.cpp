#include <micro/grpc/timeout.hpp>

namespace micro::grpc {
namespace {

using namespace std::chrono_literals;

TEST(ParseTimeout, EveryUnit) {
  const struct {
    std::string_view text;
    Duration expected;
  } cases[] = {
      {"1H", 1h},
      {"2M", 2min},
      {"3S", 3s},
      {"100m", 100ms},
      {"5u", 5us},
      {"6n", 6ns},
      {"0n", 0ns},
      {"00000001S", 1s},
      {"99999999n", 99999999ns},
      {"99999999S", 99999999s},
      // 11,000 years are cut.
      {"99999999H", kLongestTimeout},
      {"99999999M", kLongestTimeout},
      {"876000H", kLongestTimeout},
      {"876001H", kLongestTimeout},
      {"875999H", 875999h},
  };
  for (const auto& c : cases) EXPECT_EQ(parse_timeout(c.text), c.expected) << c.text;
}

TEST(ParseTimeout, BadTextIsAnErrorThatShowsIt) {
  for (const std::string_view text :
       {"", "1", "S", "123456789S", "1s", "1ms", "-1S", "+1S", "1.5S", " 1S", "1S ", "0x1S", "1,S", "12h", "1\xC2\xB5"}) {
    const auto parsed = parse_timeout(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::kInternal);
    EXPECT_EQ(parsed.error().message(),
              "malformed grpc-timeout '" + std::string(text) + "': expected 1 to 8 digits and one of the units H, M, S, m, u, n");
  }
  EXPECT_LT(parse_timeout(std::string(100'000, '1')).error().message().size(), 200U);
}

TEST(FormatTimeout, FinestUnitRoundedUp) {
  const struct {
    Duration remaining;
    std::string_view expected;
  } cases[] = {
      {-1h, "1n"},
      {Duration::min(), "1n"},
      {0ns, "1n"},
      {1ns, "1n"},
      {99999999ns, "99999999n"},
      {100ms, "100000u"},
      {100ms + 1ns, "100001u"},
      {1s, "1000000u"},
      {99999999us, "99999999u"},
      {99999999us + 1ns, "100000m"},
      {100s, "100000m"},
      {24h, "86400000m"},
      {48h, "172800S"},
      {kLongestTimeout, "52560000M"},
      {Duration::max(), "2562048H"},
  };
  for (const auto& c : cases) EXPECT_EQ(format_timeout(c.remaining).view(), c.expected) << c.remaining.count();
}

TEST(FormatTimeout, ParsesBackToNoLessAndHardlyMore) {
  for (std::int64_t nanoseconds = 1; nanoseconds < kLongestTimeout.count() / 3; nanoseconds = nanoseconds * 3 + 1) {
    const TimeoutText text = format_timeout(Duration(nanoseconds));
    ASSERT_LE(text.view().size(), 9U);
    const auto parsed = parse_timeout(text);
    ASSERT_TRUE(parsed) << text.view();
    EXPECT_GE(parsed->count(), nanoseconds);
    EXPECT_LE(parsed->count() - nanoseconds, nanoseconds / 100'000);
  }
}

}  // namespace
}  // namespace micro::grpc
