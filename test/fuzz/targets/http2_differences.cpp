#include "http2_differences.hpp"

#include <array>

#include "testing.hpp"

namespace micro::fuzz {
namespace {

using namespace http2;

// A connection error where the other side is content with a stream error, or the reverse: what an endpoint may always do (RFC 9113
// section 5.4). Each line names our reason, which is the text of our GOAWAY.
struct Difference {
  std::string_view our_reason;
  std::string_view why;
};

}  // namespace

bool Differences::allowed(std::string_view frames, const Verdict& ours, const Verdict& theirs) {
  const FrameHeader first = load_frame_header(frames.data());
  // Section 5.1.2: a stream beyond SETTINGS_MAX_CONCURRENT_STREAMS is a stream error; nghttp2 ends the connection once the client
  // has acknowledged the setting.
  if (first.type == FrameType::kHeaders && !ours.connection_error && theirs.connection_error && !ours.stream_errors.empty()) return true;
  return false;
}

}  // namespace micro::fuzz
