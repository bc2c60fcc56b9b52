#include <micro/websocket/close_code.hpp>

#include "utf8.hpp"

namespace micro::websocket {

std::string_view close_code_name(std::uint16_t code) noexcept {
  switch (code) {
    case close_code::kNormal:
      return "NORMAL";
    case close_code::kGoingAway:
      return "GOING_AWAY";
    case close_code::kProtocolError:
      return "PROTOCOL_ERROR";
    case close_code::kUnsupportedData:
      return "UNSUPPORTED_DATA";
    case close_code::kNoStatus:
      return "NO_STATUS";
    case close_code::kAbnormal:
      return "ABNORMAL";
    case close_code::kInvalidData:
      return "INVALID_DATA";
    case close_code::kPolicyViolation:
      return "POLICY_VIOLATION";
    case close_code::kMessageTooBig:
      return "MESSAGE_TOO_BIG";
    case close_code::kMissingExtension:
      return "MISSING_EXTENSION";
    case close_code::kInternalError:
      return "INTERNAL_ERROR";
    case close_code::kServiceRestart:
      return "SERVICE_RESTART";
    case close_code::kTryAgainLater:
      return "TRY_AGAIN_LATER";
    case close_code::kBadGateway:
      return "BAD_GATEWAY";
    default:
      return code >= 3000 && code <= 4999 ? "APPLICATION" : "UNKNOWN";
  }
}

std::string close_reason(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    // The shortest whole character in front; at most 4 bytes.
    std::size_t size = 1;
    while (size < 4 && size < text.size() && !is_utf8(text.substr(0, size))) ++size;
    const bool valid = is_utf8(text.substr(0, size));
    if (!valid) size = 1;
    if (out.size() + size > kMaxCloseReason) break;
    if (valid) {
      out.append(text.substr(0, size));
    } else {
      out.push_back('?');
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace micro::websocket
