#include <micro/http2/error_code.hpp>

#include <array>

#include <micro/http2/options.hpp>

namespace micro::http2 {

std::string_view to_string(ErrorCode code) noexcept {
  static constexpr std::array<std::string_view, 14> kNames = {"NO_ERROR",
                                                              "PROTOCOL_ERROR",
                                                              "INTERNAL_ERROR",
                                                              "FLOW_CONTROL_ERROR",
                                                              "SETTINGS_TIMEOUT",
                                                              "STREAM_CLOSED",
                                                              "FRAME_SIZE_ERROR",
                                                              "REFUSED_STREAM",
                                                              "CANCEL",
                                                              "COMPRESSION_ERROR",
                                                              "CONNECT_ERROR",
                                                              "ENHANCE_YOUR_CALM",
                                                              "INADEQUATE_SECURITY",
                                                              "HTTP_1_1_REQUIRED"};
  const auto number = static_cast<std::uint32_t>(code);
  return number < kNames.size() ? kNames[number] : std::string_view("UNKNOWN_ERROR");
}

std::string_view to_string(Flood flood) noexcept {
  static constexpr std::string_view kNames[] = {"none",          "resets",        "control frames",
                                                "empty frames",  "continuations", "header size",
                                                "table updates", "settings",      "queued replies"};
  return kNames[static_cast<std::size_t>(flood)];
}

}  // namespace micro::http2
