#include <micro/http/date.hpp>

#include <algorithm>
#include <cstring>

namespace micro::http {

namespace {

void put_two(char* out, unsigned value) noexcept {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

void format_date(std::int64_t unix_seconds, char* out) noexcept {
  constexpr std::int64_t kYear0 = -62167219200;
  constexpr std::int64_t kYear9999End = 253402300799;
  constexpr std::int64_t kDay = 86400;
  const std::int64_t time = std::clamp(unix_seconds, kYear0, kYear9999End);
  std::int64_t days = time / kDay;
  std::int64_t second = time % kDay;
  if (second < 0) {
    second += kDay;
    --days;
  }
  // Howard Hinnant's civil_from_days: years begin in March, so that leap days come last. gmtime_r would take a lock for the zone.
  const std::int64_t shifted = days + 719468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(shifted - era * 146097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const auto year = static_cast<unsigned>(static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0));
  const auto weekday = static_cast<unsigned>(((days % 7) + 11) % 7);  // day 0 was a Thursday

  std::memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", kDateSize);
  std::memcpy(out, &"SunMonTueWedThuFriSat"[3 * weekday], 3);
  put_two(out + 5, day);
  std::memcpy(out + 8, &"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * (month - 1)], 3);
  put_two(out + 12, year / 100);
  put_two(out + 14, year % 100);
  put_two(out + 17, static_cast<unsigned>(second / 3600));
  put_two(out + 20, static_cast<unsigned>(second / 60 % 60));
  put_two(out + 23, static_cast<unsigned>(second % 60));
}

void DateCache::refresh(std::int64_t unix_seconds) noexcept {
  format_date(unix_seconds, text_.data());
  second_ = unix_seconds;
  filled_ = true;
}

}  // namespace micro::http
