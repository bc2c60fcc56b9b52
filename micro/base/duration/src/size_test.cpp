#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/duration/duration.hpp>

namespace micro {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(ParseSize, AcceptsNumbersWithUnits) {
  const struct {
    std::string_view text;
    std::uint64_t value;
  } cases[] = {
      {"0", 0},
      {"4096", 4096},
      {"4096B", 4096},
      {"4MiB", 4 << 20},
      {"4mib", 4 << 20},
      {"1.5 GB", 1'500'000'000},
      {"1KB", 1000},
      {"1kib", 1024},
      {"0.5KiB", 512},
      {"1.0", 1},
      {"1.000000000000000000000000", 1},
      {"2TB", 2'000'000'000'000},
      {"1TiB", std::uint64_t{1} << 40},
      {"0.000000000001TB", 1},
      {"0.0009765625MiB", 1024},
      {"18446744073709551615", kMax},
      {"18446744.073709551615TB", kMax},
      {"16777215.999999999999TB", 16'777'215'999'999'999'999u},
  };
  for (const auto& test : cases) {
    const Result<std::uint64_t> value = parse_size(test.text);
    ASSERT_TRUE(value) << value.error().to_string();
    EXPECT_EQ(*value, test.value) << test.text;
  }
}

TEST(ParseSize, RefusesTheRest) {
  const struct {
    std::string_view text, why;
  } cases[] = {
      {"", "expected a number"},
      {"MiB", "expected a number"},
      {"-1", "negative"},
      {"+1", "expected a number"},
      {".5MB", "expected a number"},
      {"1.MB", "digits are missing"},
      {"1 ", "unit is missing"},
      {"1  MB", "unknown unit"},
      {"4M", "unknown unit \"M\""},
      {"4MiBs", "unknown unit"},
      {"0.5", "whole number of bytes"},
      {"1.0001KB", "whole number of bytes"},
      {"0.1KiB", "whole number of bytes"},
      {"0.0000000000000000001TB", "more than 18 digits"},
      {"18446744073709551616", "does not fit"},
      {"18446744.073709551616TB", "does not fit"},
      {"16777216TiB", "does not fit"},
  };
  for (const auto& test : cases) {
    const Result<std::uint64_t> value = parse_size(test.text);
    ASSERT_FALSE(value) << test.text;
    EXPECT_EQ(value.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(value.error().message(), HasSubstr(test.why)) << test.text;
  }
}

TEST(FormatSize, PicksTheLargestUnitThatDivides) {
  const std::pair<std::uint64_t, std::string_view> cases[] = {
      {0, "0B"},
      {1, "1B"},
      {1536, "1536B"},
      {4096, "4KiB"},
      {4 << 20, "4MiB"},
      {std::uint64_t{3} << 30, "3GiB"},
      {std::uint64_t{1} << 50, "1024TiB"},
      {kMax, "18446744073709551615B"},
  };
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(format_size(bytes), text);
    EXPECT_EQ(parse_size(text), bytes);
  }
}

}  // namespace
}  // namespace micro
