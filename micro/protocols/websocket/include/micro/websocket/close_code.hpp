#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace micro::websocket {

// Why a connection was closed (RFC 6455, section 7.4). Plain numbers, because programs choose their own from 3000 to 4999.
namespace close_code {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;        // a server stops, a page is left
inline constexpr std::uint16_t kProtocolError = 1002;    // the peer broke RFC 6455
inline constexpr std::uint16_t kUnsupportedData = 1003;  // binary where only text is understood, or the other way round
inline constexpr std::uint16_t kNoStatus = 1005;         // never on the wire: the close frame had no code
inline constexpr std::uint16_t kAbnormal = 1006;         // never on the wire: the connection ended without a close frame
inline constexpr std::uint16_t kInvalidData = 1007;      // text that is not UTF-8, data that cannot be decompressed
inline constexpr std::uint16_t kPolicyViolation = 1008;
inline constexpr std::uint16_t kMessageTooBig = 1009;
inline constexpr std::uint16_t kMissingExtension = 1010;  // sent by clients only
inline constexpr std::uint16_t kInternalError = 1011;
inline constexpr std::uint16_t kServiceRestart = 1012;
inline constexpr std::uint16_t kTryAgainLater = 1013;
inline constexpr std::uint16_t kBadGateway = 1014;
}  // namespace close_code

// The payload of a control frame, and what of it is left for the reason of a close frame (RFC 6455, section 5.5), in bytes.
inline constexpr std::size_t kMaxControlPayload = 125;
inline constexpr std::size_t kMaxCloseReason = kMaxControlPayload - 2;

// Whether a close frame may carry `code`: 1000 to 1003, 1007 to 1014 and 3000 to 4999. The rest is reserved.
constexpr bool is_valid_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

// "PROTOCOL_ERROR" for 1002; "APPLICATION" for 3000 to 4999; "UNKNOWN" for other numbers.
std::string_view close_code_name(std::uint16_t code) noexcept;

// `text` as a close frame can carry it: cut to kMaxCloseReason bytes between two characters, bytes that are not UTF-8 as '?'.
std::string close_reason(std::string_view text);

}  // namespace micro::websocket
