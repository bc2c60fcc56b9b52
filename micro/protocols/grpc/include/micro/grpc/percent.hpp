#pragma once

#include <string>
#include <string_view>

namespace micro::grpc {

// Percent-encoding of grpc-message (PROTOCOL-HTTP2, "Status-Message"): bytes outside 0x20..0x7E and '%' become %XX with
// upper-case digits. A space at either end is encoded too, since HTTP/2 forbids a field value to begin or end with one (RFC
// 9113, 8.2.1).
std::string percent_encode(std::string_view message);

// The inverse. What is no valid escape passes unchanged ("100%", "%zz"): the protocol asks not to lose a damaged message.
std::string percent_decode(std::string_view text);

}  // namespace micro::grpc
