#pragma once

#include <string_view>

#include "http2_nghttp2_server.hpp"

namespace micro::fuzz {

// True when the two verdicts on `frames` differ in a way that RFC 9113 allows; nothing after it can be compared then. `gone`:
// they are about a stream that is closed.
bool allowed_difference(std::string_view frames, const Verdict& ours, const Verdict& theirs, bool gone);

}  // namespace micro::fuzz
