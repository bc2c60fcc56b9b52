#include "close_status.hpp"

#include <micro/websocket/close_code.hpp>

namespace micro::web {
namespace {

Code code_of(std::uint16_t close_code) noexcept {
  namespace code = websocket::close_code;
  switch (close_code) {
    case code::kGoingAway:
    case code::kServiceRestart:
    case code::kTryAgainLater:
    case code::kBadGateway:
      return Code::kUnavailable;
    case code::kPolicyViolation:
      return Code::kPermissionDenied;
    case code::kMessageTooBig:
      return Code::kResourceExhausted;
    case code::kUnsupportedData:
      return Code::kInvalidArgument;
    case code::kProtocolError:
    case code::kInvalidData:
    case code::kMissingExtension:
    case code::kInternalError:
      return Code::kInternal;
    default:
      return Code::kUnknown;
  }
}

}  // namespace

Result<void> result_of_close(std::uint16_t code, std::string_view reason, const std::string& name) {
  if (code == websocket::close_code::kNormal) return {};
  if (code > kFailedCall && code <= kFailedCall + 16)
    return fail(Error(static_cast<Code>(code - kFailedCall), std::string(reason)));
  std::string text = name + ": the server closed the WebSocket with code " + std::to_string(code);
  text.append(" ").append(websocket::close_code_name(code));
  if (!reason.empty()) text.append(": ").append(reason);
  return fail(Error(code_of(code), std::move(text)));
}

}  // namespace micro::web
