#include <micro/grpc/timeout.hpp>

#include <charconv>
#include <string>

namespace micro::grpc {
namespace {

constexpr std::size_t kMaxDigits = 8;
constexpr std::int64_t kMaxValue = 99'999'999;

struct Unit {
  char letter;
  std::int64_t nanoseconds;
};
constexpr Unit kUnits[] = {
    {'n', 1}, {'u', 1'000}, {'m', 1'000'000}, {'S', 1'000'000'000}, {'M', 60'000'000'000}, {'H', 3'600'000'000'000},
};

Error malformed(std::string_view value) {
  return internal("malformed grpc-timeout '" + std::string(value.substr(0, 32)) +
                  "': expected 1 to 8 digits and one of the units H, M, S, m, u, n");
}

}  // namespace

Result<Duration> parse_timeout(std::string_view value) {
  if (value.size() < 2 || value.size() > kMaxDigits + 1) return fail(malformed(value));
  std::int64_t number = 0;
  for (const char c : value.substr(0, value.size() - 1)) {
    if (c < '0' || c > '9') return fail(malformed(value));
    number = number * 10 + (c - '0');
  }
  for (const Unit& unit : kUnits) {
    if (unit.letter != value.back()) continue;
    if (number > kLongestTimeout.count() / unit.nanoseconds) return kLongestTimeout;
    return Duration(number * unit.nanoseconds);
  }
  return fail(malformed(value));
}

TimeoutText::TimeoutText(Duration remaining) noexcept {
  const std::int64_t left = remaining.count() > 0 ? remaining.count() : 1;
  for (const Unit& unit : kUnits) {
    const std::int64_t value = left / unit.nanoseconds + (left % unit.nanoseconds != 0 ? 1 : 0);
    if (value > kMaxValue) continue;  // 64-bit nanoseconds are 2.6 million hours at most, so a unit is always found
    char* end = std::to_chars(text_.data(), text_.data() + kMaxDigits, value).ptr;
    *end++ = unit.letter;
    size_ = static_cast<std::uint8_t>(end - text_.data());
    return;
  }
}

}  // namespace micro::grpc
