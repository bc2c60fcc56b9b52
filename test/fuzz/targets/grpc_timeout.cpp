// grpc-timeout: against a reading of the specification that cannot overflow, and back.
#include <micro/grpc/timeout.hpp>

#include <algorithm>
#include <optional>

#include "fuzz.hpp"

namespace {

std::optional<micro::Duration> expected(std::string_view text) {
  constexpr std::string_view kUnits = "HMSmun";
  constexpr std::int64_t kNanos[] = {3'600'000'000'000, 60'000'000'000, 1'000'000'000, 1'000'000, 1'000, 1};
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  const auto unit = kUnits.find(text.back());
  text.remove_suffix(1);
  if (unit == kUnits.npos || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::int64_t count = 0;
  for (const char c : text) count = count * 10 + (c - '0');
  const std::int64_t longest = micro::grpc::kLongestTimeout.count();
  return micro::Duration(count > longest / kNanos[unit] ? longest : count * kNanos[unit]);
}

}  // namespace

MICRO_FUZZ_TARGET(grpc_timeout) {
  using namespace micro;
  const auto wanted = expected(input);
  const auto timeout = grpc::parse_timeout(input);
  fuzz::require(timeout.has_value() == wanted.has_value(), "a timeout is accepted that should not be, or the reverse");
  if (!timeout) return;
  fuzz::require(*timeout == *wanted, "a timeout is read as another");
  // Rounded up, by less than a part in 100,000.
  const auto text = grpc::format_timeout(*timeout);
  const auto again = grpc::parse_timeout(text);
  fuzz::require(
      again && *again >= *timeout && again->count() - timeout->count() <= std::max<std::int64_t>(1, timeout->count() / 100'000),
      "a timeout that is sent on is another: " + std::string(text.view()));
}
