#include "json_number.hpp"

#include <charconv>
#include <limits>
#include <type_traits>

namespace micro::codec {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::size_t digits(std::string_view text, std::size_t from) noexcept {
  while (from < text.size() && is_digit(text[from])) ++from;
  return from;
}

// An unsigned number taken apart: whole.fraction * 10^exponent. Exponents too large for the integer saturate.
struct Decimal {
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

Decimal take_apart(std::string_view unsigned_text) noexcept {
  Decimal out;
  const std::size_t point = digits(unsigned_text, 0);
  out.whole = unsigned_text.substr(0, point);
  std::size_t at = point;
  if (at < unsigned_text.size() && unsigned_text[at] == '.') {
    at = digits(unsigned_text, point + 1);
    out.fraction = unsigned_text.substr(point + 1, at - point - 1);
  }
  if (at == unsigned_text.size()) return out;
  std::string_view exponent = unsigned_text.substr(at + 1);
  const bool negative = exponent.front() == '-';
  if (negative || exponent.front() == '+') exponent.remove_prefix(1);
  constexpr std::int64_t kSaturated = std::int64_t{1} << 60;
  const auto [end, status] = std::from_chars(exponent.data(), exponent.data() + exponent.size(), out.exponent);
  if (status != std::errc{} || out.exponent > kSaturated) out.exponent = kSaturated;
  if (negative) out.exponent = -out.exponent;
  return out;
}

char digit_at(const Decimal& number, std::size_t i) noexcept {
  return i < number.whole.size() ? number.whole[i] : number.fraction[i - number.whole.size()];
}

// The magnitude of a number with a point or an exponent.
NumberStatus parse_scaled(std::string_view unsigned_text, std::uint64_t& out) noexcept {
  const Decimal number = take_apart(unsigned_text);
  std::size_t count = number.whole.size() + number.fraction.size();
  while (count > 0 && digit_at(number, count - 1) == '0') --count;
  out = 0;
  if (count == 0) return NumberStatus::kOk;
  // So many of the digits stand before the point.
  const std::int64_t before = static_cast<std::int64_t>(number.whole.size()) + number.exponent;
  if (before < static_cast<std::int64_t>(count)) return NumberStatus::kNotIntegral;
  for (std::int64_t i = 0; i < before; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const auto digit = static_cast<std::uint64_t>(index < count ? digit_at(number, index) - '0' : 0);
    if (out > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return NumberStatus::kOutOfRange;
    out = out * 10 + digit;
  }
  return NumberStatus::kOk;
}

}  // namespace

std::size_t number_prefix(std::string_view text) noexcept {
  std::size_t at = !text.empty() && text.front() == '-' ? 1 : 0;
  const std::size_t whole = at;
  at = digits(text, at);
  if (at == whole || (text[whole] == '0' && at != whole + 1)) return 0;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = at + 1;
    at = digits(text, fraction);
    if (at == fraction) return 0;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t exponent = at + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    at = digits(text, exponent);
    if (at == exponent) return 0;
  }
  return at;
}

template <class Integer>
NumberStatus parse_integer(std::string_view text, Integer& out) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, out);
  if (status == std::errc{} && stop == end) [[likely]] {
    return NumberStatus::kOk;
  }
  const bool negative = text.front() == '-';
  std::uint64_t magnitude = 0;
  const NumberStatus scaled = parse_scaled(text.substr(negative ? 1 : 0), magnitude);
  if (scaled != NumberStatus::kOk) return scaled;
  using Limits = std::numeric_limits<Integer>;
  const std::uint64_t limit = negative ? (Limits::is_signed ? static_cast<std::uint64_t>(Limits::max()) + 1 : 0)
                                       : static_cast<std::uint64_t>(Limits::max());
  if (magnitude > limit) return NumberStatus::kOutOfRange;
  out = static_cast<Integer>(negative ? 0 - magnitude : magnitude);
  return NumberStatus::kOk;
}

template <class Float>
NumberStatus parse_float(std::string_view text, Float& out) noexcept {
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (status == std::errc{}) {
    return out <= std::numeric_limits<Float>::max() && out >= std::numeric_limits<Float>::lowest() ? NumberStatus::kOk
                                                                                                   : NumberStatus::kOutOfRange;
  }
  // Too large or too small: the decimal exponent tells which.
  const bool negative = text.front() == '-';
  const Decimal number = take_apart(text.substr(negative ? 1 : 0));
  std::int64_t magnitude = static_cast<std::int64_t>(number.whole.size()) + number.exponent;
  for (std::size_t i = 0; i < number.whole.size() + number.fraction.size() && digit_at(number, i) == '0'; ++i) --magnitude;
  if (magnitude > 0) return NumberStatus::kOutOfRange;
  out = negative ? -Float{0} : Float{0};
  return NumberStatus::kOk;
}

template NumberStatus parse_integer(std::string_view, std::int32_t&) noexcept;
template NumberStatus parse_integer(std::string_view, std::int64_t&) noexcept;
template NumberStatus parse_integer(std::string_view, std::uint32_t&) noexcept;
template NumberStatus parse_integer(std::string_view, std::uint64_t&) noexcept;
template NumberStatus parse_float(std::string_view, float&) noexcept;
template NumberStatus parse_float(std::string_view, double&) noexcept;

}  // namespace micro::codec
