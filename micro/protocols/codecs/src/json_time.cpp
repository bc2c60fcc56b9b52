#include "json_time.hpp"

#include <charconv>
#include <chrono>

namespace micro::codec {
namespace {

namespace chr = std::chrono;

constexpr std::int64_t kFirstSecond = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kLastSecond = 253'402'300'799;   // 9999-12-31T23:59:59Z
constexpr std::int64_t kLongest = 315'576'000'000;      // 10,000 years
constexpr std::int32_t kNanosPerSecond = 1'000'000'000;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

void append_padded(std::string& out, std::uint64_t value, int width) {
  char digits[20];
  for (int i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<std::size_t>(width));
}

void append_fraction(std::string& out, std::int32_t nanos) {
  if (nanos == 0) return;
  out.push_back('.');
  const auto value = static_cast<std::uint64_t>(nanos);
  if (nanos % 1'000'000 == 0) {
    append_padded(out, value / 1'000'000, 3);
  } else if (nanos % 1'000 == 0) {
    append_padded(out, value / 1'000, 6);
  } else {
    append_padded(out, value, 9);
  }
}

// Reads forward through a text; what is not as expected gives nullopt or false.
struct Cursor {
  std::string_view text;

  bool take(char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }

  std::optional<int> digits(std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(text[i])) return std::nullopt;
      value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
  }

  // ".021" as nanoseconds; 0 when there is no point.
  std::optional<std::int32_t> fraction() {
    if (!take('.')) return 0;
    std::int32_t value = 0;
    std::size_t count = 0;
    for (; count < text.size() && is_digit(text[count]); ++count) {
      if (count == 9) return std::nullopt;
      value = value * 10 + (text[count] - '0');
    }
    if (count == 0) return std::nullopt;
    text.remove_prefix(count);
    for (; count < 9; ++count) value *= 10;
    return value;
  }
};

// "Z" or "+01:00", in seconds to subtract.
std::optional<int> parse_offset(Cursor& in) {
  if (in.take('Z')) return 0;
  const bool ahead = in.take('+');
  if (!ahead && !in.take('-')) return std::nullopt;
  const auto hours = in.digits(2);
  if (!hours || *hours > 23 || !in.take(':')) return std::nullopt;
  const auto minutes = in.digits(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const int offset = *hours * 3600 + *minutes * 60;
  return ahead ? offset : -offset;
}

}  // namespace

std::optional<std::string> timestamp_text(SecondsNanos time) {
  if (time.seconds < kFirstSecond || time.seconds > kLastSecond) return std::nullopt;
  if (time.nanos < 0 || time.nanos >= kNanosPerSecond) return std::nullopt;
  const chr::sys_seconds point{chr::seconds{time.seconds}};
  const auto day = chr::floor<chr::days>(point);
  const chr::year_month_day date{day};
  const auto second = static_cast<std::uint64_t>((point - day).count());
  std::string out;
  out.reserve(30);
  append_padded(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  out.push_back('-');
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out.push_back('-');
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out.push_back('T');
  append_padded(out, second / 3600, 2);
  out.push_back(':');
  append_padded(out, second / 60 % 60, 2);
  out.push_back(':');
  append_padded(out, second % 60, 2);
  append_fraction(out, time.nanos);
  out.push_back('Z');
  return out;
}

std::optional<SecondsNanos> parse_timestamp(std::string_view text) {
  Cursor in{text};
  const auto year = in.digits(4);
  if (!year || !in.take('-')) return std::nullopt;
  const auto month = in.digits(2);
  if (!month || !in.take('-')) return std::nullopt;
  const auto day = in.digits(2);
  if (!day || !in.take('T')) return std::nullopt;
  const auto hour = in.digits(2);
  if (!hour || *hour > 23 || !in.take(':')) return std::nullopt;
  const auto minute = in.digits(2);
  if (!minute || *minute > 59 || !in.take(':')) return std::nullopt;
  const auto second = in.digits(2);
  if (!second || *second > 59) return std::nullopt;
  const auto nanos = in.fraction();
  if (!nanos) return std::nullopt;
  const auto offset = parse_offset(in);
  if (!offset || !in.text.empty()) return std::nullopt;

  const chr::year_month_day date{chr::year{*year}, chr::month{static_cast<unsigned>(*month)},
                                 chr::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const auto days = chr::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = std::int64_t{days} * 86'400 + *hour * 3600 + *minute * 60 + *second - *offset;
  if (seconds < kFirstSecond || seconds > kLastSecond) return std::nullopt;
  return SecondsNanos{seconds, *nanos};
}

std::optional<std::string> duration_text(SecondsNanos span) {
  if (span.seconds < -kLongest || span.seconds > kLongest) return std::nullopt;
  if (span.nanos <= -kNanosPerSecond || span.nanos >= kNanosPerSecond) return std::nullopt;
  if ((span.seconds < 0 && span.nanos > 0) || (span.seconds > 0 && span.nanos < 0)) return std::nullopt;
  std::string out;
  if (span.seconds < 0 || span.nanos < 0) out.push_back('-');
  out += std::to_string(span.seconds < 0 ? -span.seconds : span.seconds);
  append_fraction(out, span.nanos < 0 ? -span.nanos : span.nanos);
  out.push_back('s');
  return out;
}

std::optional<SecondsNanos> parse_duration(std::string_view text) {
  Cursor in{text};
  const bool negative = in.take('-');
  std::int64_t seconds = 0;
  const char* const begin = in.text.data();
  const char* const end = begin + in.text.size();
  if (begin == end || !is_digit(*begin)) return std::nullopt;
  const auto [stop, status] = std::from_chars(begin, end, seconds);
  if (status != std::errc{} || seconds > kLongest) return std::nullopt;
  in.text.remove_prefix(static_cast<std::size_t>(stop - begin));
  const auto nanos = in.fraction();
  if (!nanos || !in.take('s') || !in.text.empty()) return std::nullopt;
  return negative ? SecondsNanos{-seconds, -*nanos} : SecondsNanos{seconds, *nanos};
}

}  // namespace micro::codec
