#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace micro::grpc {

// Base64 with the standard alphabet (RFC 4648, section 4), for "-bin" metadata.

// Appends the encoded bytes to `out`, without padding, as gRPC senders do.
void base64_encode(std::string_view bytes, std::string& out);

// Appends the decoded bytes to `out`; the text may be padded or not. False, with `out` as before, when it is not base64:
// a foreign character, padding in the middle or of the wrong length, a single last character.
bool base64_decode(std::string_view text, std::string& out);

}  // namespace micro::grpc
