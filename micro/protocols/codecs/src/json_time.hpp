#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace micro::codec {

// Seconds and nanoseconds as google.protobuf.Timestamp and Duration hold them.
struct SecondsNanos {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  friend bool operator==(const SecondsNanos&, const SecondsNanos&) = default;
};

// RFC 3339 in UTC with 0, 3, 6 or 9 digits of a second: "1972-01-01T10:00:20.021Z". nullopt outside the years 1 to 9999 and for
// nanos outside 0..999,999,999.
std::optional<std::string> timestamp_text(SecondsNanos time);
// Reads it back; offsets ("+01:00") are taken into account, digits beyond nanoseconds are refused.
std::optional<SecondsNanos> parse_timestamp(std::string_view text);

// "-1.500s". nullopt beyond ±315,576,000,000 s and when seconds and nanos differ in sign.
std::optional<std::string> duration_text(SecondsNanos span);
std::optional<SecondsNanos> parse_duration(std::string_view text);

}  // namespace micro::codec
