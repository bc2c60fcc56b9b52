#include <micro/http/date.hpp>

#include <ctime>

#include <gtest/gtest.h>

namespace micro::http {
namespace {

std::string date(std::int64_t seconds) {
  std::string out(kDateSize, '\0');
  format_date(seconds, out.data());
  return out;
}

TEST(Date, Formats) {
  const std::pair<std::int64_t, std::string_view> cases[] = {
      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},  {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},         {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"}, {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
      {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"}, {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},  {INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT"},
  };
  for (const auto& [seconds, expected] : cases) EXPECT_EQ(date(seconds), expected) << seconds;
}

TEST(Date, AgreesWithTheCLibrary) {
  for (std::int64_t seconds = -62167219200; seconds < 253402300800; seconds += 40'000'003) {
    const std::time_t time = seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%H:%M:%S GMT", &parts);
    const std::string formatted = date(seconds);
    EXPECT_EQ(formatted.substr(17), text.data()) << seconds;
    EXPECT_EQ(std::stoi(formatted.substr(5, 2)), parts.tm_mday) << seconds;
    EXPECT_EQ(std::stoi(formatted.substr(12, 4)), parts.tm_year + 1900) << seconds;
    std::strftime(text.data(), text.size(), "%a %b", &parts);
    EXPECT_EQ(formatted.substr(0, 3) + formatted.substr(7, 4), text.data()) << seconds;
  }
}

TEST(DateCache, FollowsTheTimeItIsGiven) {
  DateCache cache;
  EXPECT_EQ(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(cache.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  const char* const data = cache.at(784111777).data();
  EXPECT_EQ(cache.at(784111777).data(), data);
  EXPECT_EQ(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace micro::http
