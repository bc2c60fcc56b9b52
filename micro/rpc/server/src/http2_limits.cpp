#include "http2_limits.hpp"

#include <string>

#include <micro/duration/duration.hpp>

namespace micro::rpc {
namespace {

// Below the least, honest clients are taken for attackers; beyond the most, there is no limit to speak of.
struct Range {
  const char* name;
  std::uint32_t Http2Limits::* value;
  std::uint32_t least;
  std::uint32_t most;
};

constexpr Range kRanges[] = {
    {"max_resets", &Http2Limits::max_resets, 1, 1'000'000},
    {"max_control_frames", &Http2Limits::max_control_frames, 10, 1'000'000},
    {"max_empty_frames", &Http2Limits::max_empty_frames, 1, 1'000'000},
    {"max_continuations", &Http2Limits::max_continuations, 1, 10'000},
    {"max_settings", &Http2Limits::max_settings, 8, 2730},
    {"max_queued_replies", &Http2Limits::max_queued_replies, 4, 1'000'000},
};

constexpr std::size_t kLeastQueuedData = std::size_t{64} << 10;
constexpr std::size_t kMostQueuedData = std::size_t{1} << 40;
constexpr Duration kLeastWindow = std::chrono::milliseconds(1);
constexpr Duration kMostWindow = std::chrono::hours(1);

std::string fault(std::string_view name, const std::string& value, const std::string& least, const std::string& most) {
  return "option http2." + std::string(name) + " is " + value + " and must be from " + least + " to " + most;
}

}  // namespace

Result<void> check(const Http2Limits& limits) {
  std::string faults;
  const auto add = [&](const std::string& text) { faults += (faults.empty() ? "" : "; ") + text; };
  if (limits.window < kLeastWindow || limits.window > kMostWindow) {
    add(fault("window", format_duration(limits.window), format_duration(kLeastWindow), format_duration(kMostWindow)));
  }
  for (const Range& range : kRanges) {
    const std::uint32_t value = limits.*range.value;
    if (value < range.least || value > range.most) {
      add(fault(range.name, std::to_string(value), std::to_string(range.least), std::to_string(range.most)));
    }
  }
  if (limits.max_queued_data < kLeastQueuedData || limits.max_queued_data > kMostQueuedData) {
    add(fault("max_queued_data", std::to_string(limits.max_queued_data), std::to_string(kLeastQueuedData),
              std::to_string(kMostQueuedData)));
  }
  if (!faults.empty()) return fail(invalid_argument(std::move(faults)));
  return {};
}

void apply(const Http2Limits& limits, http2::Options& options) {
  options.flood_window = limits.window;
  options.max_resets = limits.max_resets;
  options.max_control_frames = limits.max_control_frames;
  options.max_empty_frames = limits.max_empty_frames;
  options.max_continuations = limits.max_continuations;
  options.max_settings = limits.max_settings;
  options.max_queued_replies = limits.max_queued_replies;
  options.max_queued_data = limits.max_queued_data;
}

}  // namespace micro::rpc
