#include "http2_differences.hpp"

#include <array>

#include "testing.hpp"

namespace micro::fuzz {
namespace {

using namespace http2;

// What differs is how much of the connection an error takes with it. Streams may be told from connections by either side (RFC
// 9113 section 5.4.1: an endpoint may treat any stream error as a connection error).
bool refuses(const Verdict& verdict) { return verdict.connection_error || !verdict.stream_errors.empty(); }

// Refused by one side only; `theirs` is the text nghttp2 gives, `ours` that of our GOAWAY.
struct OneSided {
  std::string_view theirs;
  std::string_view ours;
  std::string_view why;
};
constexpr OneSided kOneSided[] = {
    {"unexpected ACK", "", "section 6.5.3 does not say what an acknowledgement of nothing is; it harms nobody"},
    {"GOAWAY: invalid last_stream_id", "", "section 6.8 forbids senders to raise it, and does not say what receivers do"},
    {"SETTINGS_ENABLE_CONNECT_PROTOCOL", "", "RFC 8441 section 3 gives it a meaning from server to client only"},
    {"SETTINGS_NO_RFC7540_PRIORITIES", "", "RFC 9218 is not implemented, so section 6.5.2 has us ignore the setting"},
    {"CONTINUATION", "", "its limit of CONTINUATION frames is lower than ours"},
    {"depend on itself", "", "priorities are ignored; RFC 7540 section 5.3.1 made it a stream error"},
    {"name: [host], value: []", "", "says as much as no Host, and section 8.3.1 has no request without an authority malformed"},
    {"name: [:path]", "", "section 8.3.1 leaves the bytes of a path to those who know what it means"},
    {"name: [:scheme]", "", "the same of schemes that nobody knows"},
    {"", "malformed PRIORITY", "priorities are ignored; section 6.3 has it a stream error where there is a stream"},
};

}  // namespace

bool allowed_difference(std::string_view frames, const Verdict& ours, const Verdict& theirs, StreamWas stream) {
  if (refuses(ours) && refuses(theirs)) {
    // The same stream refused: go on. Otherwise one connection is gone, and the comparison with it.
    return ours.connection_error != theirs.connection_error;
  }
  // Section 5.1: on a closed stream frames may be ignored or refused, for short or long, with the stream or the connection.
  if (stream == StreamWas::kClosed && ours.delivered.empty() && theirs.delivered.empty())
    return ours.outcome() != theirs.outcome();
  for (const OneSided& known : kOneSided) {
    if (!known.theirs.empty() && !refuses(ours) && theirs.why.contains(known.theirs)) return true;
    if (!known.ours.empty() && !refuses(theirs) && ours.why.contains(known.ours)) return true;
  }
  const FrameHeader first = load_frame_header(frames.data());
  // Section 6.5.3: values are processed in order; of a setting that is given twice nghttp2 looks at the last value only.
  if (first.type == FrameType::kSettings && first.length > kSettingSize && ours.connection_error && !refuses(theirs)) return true;
  // RFC 7540 section 5.3.1: a stream that depends on itself is a stream error; RFC 9113 has no word on it any more.
  if (first.type == FrameType::kHeaders && first.has(kFlagPriority) && refuses(ours) && !refuses(theirs)) {
    const std::size_t at = kFrameHeaderSize + (first.has(kFlagPadded) ? 1 : 0);
    if (frames.size() >= at + 4 && (load_be32(frames.data() + at) & kMaxStreamId) == first.stream_id) return true;
  }
  // Section 8.3.1 has a request refused whose Host is not its :authority; nghttp2 does not compare them.
  if (first.type == FrameType::kHeaders && refuses(ours) && !refuses(theirs) && theirs.authority) {
    // The same of user information.
    if (theirs.authority->contains('@')) return true;
    constexpr std::string_view kHost = " host=";
    std::string_view told = theirs.delivered;
    if (const auto host = told.find(kHost); host != told.npos) {
      told.remove_prefix(host + kHost.size());
      if (told.substr(0, told.find_first_of(" \n")) != *theirs.authority) return true;
    }
  }
  // Section 8.1.1: a CONNECT that was refused has an answer with content like any other, whose length must be right.
  if (stream == StreamWas::kConnect && !ours.stream_errors.empty() && !refuses(theirs)) return true;
  // Section 8.1: a response begins with its header section; nghttp2 looks only at DATA that holds bytes or the end.
  if (first.type == FrameType::kData && !ours.stream_errors.empty() && !refuses(theirs) && theirs.body.empty()) return true;
  // RFC 9110 section 15: a status begins with 1 to 5, so what begins with 0 is none.
  if (theirs.delivered.starts_with("response 0") && !ours.stream_errors.empty()) return true;
  // Section 8.5: only DATA flows through what CONNECT has opened; nghttp2 takes trailers as well.
  if (stream == StreamWas::kTunnel && theirs.delivered.starts_with("trailers") && !ours.stream_errors.empty()) return true;
  // RFC 9110 section 9.3.6: any 2xx opens the tunnel, 204 too.
  if (stream == StreamWas::kTunnel && first.type == FrameType::kData && !refuses(ours)) return true;
  if (first.type == FrameType::kHeaders && !refuses(ours) && refuses(theirs)) {
    const std::string_view told = ours.delivered;
    // RFC 9110 section 6.5.1: neither has a meaning in trailers; nghttp2 takes them for the length of the body and a second Host.
    if (told.starts_with("trailers") && (told.contains(" content-length=") || told.contains(" host="))) return true;
    // Section 8.3.1 asks clients for :authority and does not call a request without it malformed.
    if (told.starts_with("request") && !told.contains(" host=") && !told.contains("CONNECT")) return true;
    // RFC 9110 section 8.6 forbids servers content-length in 1xx and 204, and does not say what clients do about it.
    const bool no_length = told.empty() || told.starts_with("response 204");
    if (no_length && theirs.why.contains("name: [content-length]")) return true;
    // RFC 9110 section 8.6 lets a recipient take equal repetitions for one.
    const auto length = told.find(" content-length=");
    if (length != told.npos && told.find(" content-length=", length + 1) != told.npos) return true;
  }
  return false;
}

}  // namespace micro::fuzz
