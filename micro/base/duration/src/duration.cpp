#include <micro/duration/duration.hpp>

#include <array>
#include <limits>
#include <utility>

// Go's time.ParseDuration and Duration.String, step by step, so that values written for go-micro mean the same here.
namespace micro {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;  // the magnitude of the smallest Duration

constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
    {"ns", 1},          {"us", 1'000},        {"\u00b5s", 1'000},  // MICRO SIGN
    {"\u03bcs", 1'000},                                            // GREEK SMALL LETTER MU
    {"ms", 1'000'000},  {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  std::string message = "cannot parse duration \"";
  message.append(text).append("\": ").append(why);
  return fail(invalid_argument(std::move(message)));
}

std::unexpected<Error> too_large(std::string_view text) {
  return bad(text, "it does not fit 64-bit nanoseconds (about 292 years)");
}

// Reads digits off the front of `rest`; false when the number exceeds kLimit.
bool read_integer(std::string_view& rest, std::uint64_t& value) noexcept {
  for (value = 0; !rest.empty() && is_digit(rest.front()); rest.remove_prefix(1)) {
    if (value > kLimit / 10) return false;
    value = value * 10 + static_cast<std::uint64_t>(rest.front() - '0');
    if (value > kLimit) return false;
  }
  return true;
}

// Reads the digits after the point; those past the precision of 64 bits are skipped.
void read_fraction(std::string_view& rest, std::uint64_t& value, double& scale) noexcept {
  value = 0;
  scale = 1;
  for (bool full = false; !rest.empty() && is_digit(rest.front()); rest.remove_prefix(1)) {
    if (full) continue;
    const std::uint64_t digit = static_cast<std::uint64_t>(rest.front() - '0');
    if (value > (kLimit - 1) / 10 || value * 10 + digit > kLimit) {
      full = true;
      continue;
    }
    value = value * 10 + digit;
    scale *= 10;
  }
}

std::uint64_t find_unit(std::string_view name) noexcept {
  for (const auto& [unit, size] : kUnits) {
    if (unit == name) return size;
  }
  return 0;
}

// One number with its unit off the front of `rest`, in nanoseconds.
Result<std::uint64_t> read_part(std::string_view text, std::string_view& rest) {
  std::uint64_t whole = 0;
  const std::size_t before = rest.size();
  if (!read_integer(rest, whole)) return too_large(text);
  bool any_digit = rest.size() != before;
  std::uint64_t fraction = 0;
  double scale = 1;
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    const std::size_t point = rest.size();
    read_fraction(rest, fraction, scale);
    any_digit = any_digit || rest.size() != point;
  }
  if (!any_digit) return bad(text, "expected a number such as \"300ms\", \"-1.5h\" or \"2h45m\"");

  const std::string_view name = rest.substr(0, rest.find_first_of(".0123456789"));
  if (name.empty()) return bad(text, "a unit is missing; use ns, us, ms, s, m or h");
  const std::uint64_t unit = find_unit(name);
  if (unit == 0) return bad(text, "unknown unit \"" + std::string(name) + "\"; use ns, us, ms, s, m or h");
  rest.remove_prefix(name.size());

  if (whole > kLimit / unit) return too_large(text);
  std::uint64_t value = whole * unit;
  if (fraction > 0) {
    value += static_cast<std::uint64_t>(static_cast<double>(fraction) * (static_cast<double>(unit) / scale));
    if (value > kLimit) return too_large(text);
  }
  return value;
}

// Writes `value` without trailing zeros as `digits` decimals before `end`; returns where it begins and what stands before the
// point.
char* write_fraction(char* end, std::uint64_t& value, int digits) noexcept {
  bool printing = false;
  for (int i = 0; i < digits; ++i) {
    const char digit = static_cast<char>('0' + value % 10);
    printing = printing || digit != '0';
    if (printing) *--end = digit;
    value /= 10;
  }
  if (printing) *--end = '.';
  return end;
}

char* write_integer(char* end, std::uint64_t value) noexcept {
  do *--end = static_cast<char>('0' + value % 10);
  while ((value /= 10) != 0);
  return end;
}

char* write_text(char* end, std::string_view text) noexcept {
  end -= text.size();
  text.copy(end, text.size());
  return end;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return Duration::zero();
  if (rest.empty()) return bad(text, "it is empty; write a duration such as \"300ms\", \"-1.5h\" or \"2h45m\"");

  std::uint64_t total = 0;
  while (!rest.empty()) {
    const Result<std::uint64_t> part = read_part(text, rest);
    if (!part) return fail(part.error());
    total += *part;  // both are at most 2^63: the sum wraps to 0 only for two of exactly 2^63
    if (total > kLimit || (total == 0 && *part != 0)) return too_large(text);
  }
  if (negative) return Duration(static_cast<std::int64_t>(0 - total));
  if (total == kLimit) return too_large(text);
  return Duration(static_cast<std::int64_t>(total));
}

std::string format_duration(Duration duration) {
  const bool negative = duration < Duration::zero();
  std::uint64_t value = static_cast<std::uint64_t>(duration.count());
  if (negative) value = 0 - value;
  if (value == 0) return "0s";

  std::array<char, 32> buffer;  // the longest, "-2562047h47m16.854775808s", has 25
  char* const end = buffer.data() + buffer.size();
  char* begin = end;
  if (value < 1'000) {
    begin = write_integer(write_text(begin, "ns"), value);
  } else if (value < 1'000'000) {
    begin = write_fraction(write_text(begin, "\u00b5s"), value, 3);
    begin = write_integer(begin, value);
  } else if (value < 1'000'000'000) {
    begin = write_fraction(write_text(begin, "ms"), value, 6);
    begin = write_integer(begin, value);
  } else {
    begin = write_fraction(write_text(begin, "s"), value, 9);
    begin = write_integer(begin, value % 60);
    if ((value /= 60) > 0) begin = write_integer(write_text(begin, "m"), value % 60);
    if ((value /= 60) > 0) begin = write_integer(write_text(begin, "h"), value);
  }
  if (negative) *--begin = '-';
  return {begin, end};
}

}  // namespace micro
