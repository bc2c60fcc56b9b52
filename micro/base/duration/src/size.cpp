#include <array>
#include <limits>
#include <utility>

#include <micro/duration/duration.hpp>

namespace micro {
namespace {

constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
    {"B", 1},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KIB", std::uint64_t{1} << 10},
    {"MIB", std::uint64_t{1} << 20},
    {"GIB", std::uint64_t{1} << 30},
    {"TIB", std::uint64_t{1} << 40},
};

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  std::string message = "cannot parse size \"";
  message.append(text).append("\": ").append(why);
  return fail(invalid_argument(std::move(message)));
}

std::uint64_t find_unit(std::string_view name) {
  if (name.empty()) return 1;
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  for (const auto& [unit, size] : kUnits) {
    if (unit == upper) return size;
  }
  return 0;
}

bool append_digit(std::uint64_t& value, char digit) noexcept {
  return !__builtin_mul_overflow(value, std::uint64_t{10}, &value) &&
         !__builtin_add_overflow(value, static_cast<std::uint64_t>(digit - '0'), &value);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kTooLarge = "it does not fit 64 bits";
  if (text.starts_with('-')) return bad(text, "a size cannot be negative");
  const std::string_view whole = text.substr(0, text.find_first_not_of(kDigits));
  std::string_view rest = text.substr(whole.size());
  std::string_view fraction;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = rest.substr(0, rest.find_first_not_of(kDigits));
    rest.remove_prefix(fraction.size());
    if (fraction.empty()) return bad(text, "digits are missing after the point");
  }
  if (whole.empty()) return bad(text, "expected a number such as \"4096\", \"4MiB\" or \"1.5GB\"");
  if (rest.starts_with(' ')) {
    rest.remove_prefix(1);
    if (rest.empty()) return bad(text, "a unit is missing after the space");
  }
  const std::uint64_t unit = find_unit(rest);
  if (unit == 0) return bad(text, "unknown unit \"" + std::string(rest) + "\"; use B, KB, MB, GB, TB, KiB, MiB, GiB or TiB");

  std::uint64_t value = 0;
  for (const char digit : whole) {
    if (!append_digit(value, digit)) return bad(text, kTooLarge);
  }
  if (__builtin_mul_overflow(value, unit, &value)) return bad(text, kTooLarge);

  // The fraction counts in units of unit / 10^n, which must come out even. Divide by ten first where possible, so that nothing
  // overflows: unit / 10^n stays exact as a reduced fraction numerator / denominator.
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  if (fraction.size() > 18) return bad(text, "the fraction has more than 18 digits; write the size in bytes");
  std::uint64_t digits = 0;
  std::uint64_t numerator = unit;
  std::uint64_t denominator = 1;
  for (const char digit : fraction) {
    append_digit(digits, digit);
    denominator *= 10;
  }
  for (const std::uint64_t factor : {std::uint64_t{2}, std::uint64_t{5}}) {
    while (numerator % factor == 0 && denominator % factor == 0) {
      numerator /= factor;
      denominator /= factor;
    }
  }
  if (digits % denominator != 0) return bad(text, "it is not a whole number of bytes");
  // digits < 10^n, so this is less than `unit` and cannot overflow; only the sum can.
  if (__builtin_add_overflow(value, digits / denominator * numerator, &value)) return bad(text, kTooLarge);
  return value;
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < kNames.size()) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes).append(kNames[unit]);
}

}  // namespace micro
