#pragma once

#include <cstdint>
#include <string_view>

namespace micro::http2 {

// Why a stream or a connection was ended: the codes of RFC 9113 section 7, as RST_STREAM and GOAWAY carry them. Peers may send
// numbers outside this list; they are passed on unchanged and mean no more than kInternalError.
enum class ErrorCode : std::uint32_t {
  kNoError = 0x0,             // graceful end
  kProtocolError = 0x1,       // the peer broke the protocol in a way no other code names
  kInternalError = 0x2,       // our own fault
  kFlowControlError = 0x3,    // more bytes than the window allowed
  kSettingsTimeout = 0x4,     // SETTINGS was not acknowledged in time
  kStreamClosed = 0x5,        // a frame for a stream that is half-closed or closed
  kFrameSizeError = 0x6,      // a frame of a size that is wrong for its type
  kRefusedStream = 0x7,       // not processed at all: safe to send again
  kCancel = 0x8,              // no longer wanted
  kCompressionError = 0x9,    // the HPACK state of both ends can no longer agree
  kConnectError = 0xa,        // the connection behind a CONNECT failed
  kEnhanceYourCalm = 0xb,     // excessive load from the peer
  kInadequateSecurity = 0xc,  // TLS below the requirements of RFC 9113 section 9.2
  kHttp11Required = 0xd,      // try again with HTTP/1.1
};

// "PROTOCOL_ERROR" for kProtocolError; "UNKNOWN_ERROR" for numbers outside the enumeration.
std::string_view to_string(ErrorCode code) noexcept;

}  // namespace micro::http2
