#include <micro/duration/duration.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(ParseDuration, AcceptsWhatGoAccepts) {
  const struct {
    std::string_view text;
    Duration value;
  } cases[] = {
      {"0", 0s},
      {"5s", 5s},
      {"30s", 30s},
      {"1478s", 1478s},
      {"-5s", -5s},
      {"+5s", 5s},
      {"-0", 0s},
      {"+0", 0s},
      {"5.0s", 5s},
      {"5.6s", 5600ms},
      {"5.s", 5s},
      {".5s", 500ms},
      {"1.0s", 1s},
      {"1.004s", 1004ms},
      {"1.0040s", 1004ms},
      {"100.00100s", 100001ms},
      {"10ns", 10ns},
      {"11us", 11us},
      {"12\u00b5s", 12us},
      {"12\u03bcs", 12us},
      {"13ms", 13ms},
      {"14s", 14s},
      {"15m", 15min},
      {"16h", 16h},
      {"3h30m", 3h + 30min},
      {"10.5s4m", 4min + 10500ms},
      {"-2m3.4s", -(2min + 3400ms)},
      {"1h2m3s4ms5us6ns", 1h + 2min + 3s + 4ms + 5us + 6ns},
      {"39h9m14.425s", 39h + 9min + 14425ms},
      {"52763797000ns", 52763797000ns},
      {"0.3333333333333333333h", 20min},
      {"9007199254740993ns", 9007199254740993ns},
      {"9223372036854775807ns", Duration::max()},
      {"9223372036854775.807us", Duration::max()},
      {"9223372036s854ms775us807ns", Duration::max()},
      {"-9223372036854775808ns", Duration::min()},
      {"-9223372036854775.808us", Duration::min()},
      {"-9223372036s854ms775us808ns", Duration::min()},
      {"-2562047h47m16.854775808s", Duration::min()},
      {"0.100000000000000000000h", 6min},
      {"0.830103483285477580700h", 49min + 48s + 372539827ns},
      {"0.9223372036854775807s", 922337203ns},
  };
  for (const auto& test : cases) {
    const Result<Duration> value = parse_duration(test.text);
    ASSERT_TRUE(value) << value.error().to_string();
    EXPECT_EQ(value->count(), test.value.count()) << test.text;
  }
}

TEST(ParseDuration, RefusesWhatGoRefuses) {
  const struct {
    std::string_view text, why;
  } cases[] = {
      {"", "empty"},
      {"3", "unit is missing"},
      {"-", "empty"},
      {"+", "empty"},
      {"s", "expected a number"},
      {".", "expected a number"},
      {"-.", "expected a number"},
      {".s", "expected a number"},
      {"+.s", "expected a number"},
      {"1d", "unknown unit \"d\""},
      {"1 s", "unknown unit \" s\""},
      {"1S", "unknown unit \"S\""},
      {" 1s", "expected a number"},
      {"1s ", "unknown unit \"s \""},
      {"--1s", "expected a number"},
      {"1h-2m", "unknown unit"},
      {"1.2.3s", "unit is missing"},
      {"\x85\x85", "expected a number"},
      {"\xff\xff", "expected a number"},
      {"9223372036854775810ns", "does not fit"},
      {"9223372036854775808ns", "does not fit"},
      {"-9223372036854775809ns", "does not fit"},
      {"9223372036854776us", "does not fit"},
      {"3000000h", "does not fit"},
      {"9223372036854775.808us", "does not fit"},
      {"9223372036854ms775us808ns", "does not fit"},
      {"99999999999999999999999s", "does not fit"},
      {"-9223372036854775808ns9223372036854775808ns", "does not fit"},
  };
  for (const auto& test : cases) {
    const Result<Duration> value = parse_duration(test.text);
    ASSERT_FALSE(value) << test.text;
    EXPECT_EQ(value.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(value.error().message(), HasSubstr(test.why)) << test.text;
    EXPECT_THAT(value.error().message(), HasSubstr(test.text));
  }
}

TEST(FormatDuration, WritesWhatGoWrites) {
  const struct {
    Duration value;
    std::string_view text;
  } cases[] = {
      {0s, "0s"},
      {1ns, "1ns"},
      {999ns, "999ns"},
      {1100ns, "1.1\u00b5s"},
      {2200us, "2.2ms"},
      {1500ms, "1.5s"},
      {3300ms, "3.3s"},
      {60s, "1m0s"},
      {90min, "1h30m0s"},
      {4min + 5001ms, "4m5.001s"},
      {5h + 6min + 7001ms, "5h6m7.001s"},
      {8min + 1ns, "8m0.000000001s"},
      {-1ns, "-1ns"},
      {-90s, "-1m30s"},
      {Duration::max(), "2562047h47m16.854775807s"},
      {Duration::min(), "-2562047h47m16.854775808s"},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(format_duration(test.value), test.text);
    EXPECT_EQ(parse_duration(test.text), test.value) << test.text;
  }
}

}  // namespace
}  // namespace micro
