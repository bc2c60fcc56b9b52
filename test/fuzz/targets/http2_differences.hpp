#pragma once

#include <string_view>

#include "http2_nghttp2_session.hpp"

namespace micro::fuzz {

// What the stream of a frame was before it came.
enum class StreamWas { kOther, kClosed, kConnect, kTunnel };

// True when the two verdicts on `frames` differ in a way that RFC 9113 allows; nothing after it can be compared then.
bool allowed_difference(std::string_view frames, const Verdict& ours, const Verdict& theirs, StreamWas stream);

}  // namespace micro::fuzz
