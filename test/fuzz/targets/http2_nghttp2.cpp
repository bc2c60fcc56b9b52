// The same frames into our server and nghttp2's: what one delivers the other delivers, what one refuses the other refuses, frame
// by frame. Where the RFC leaves room, http2_differences.hpp says so and the run ends there.
#include <map>
#include <set>

#include "http2_differences.hpp"
#include "http2_frame_source.hpp"
#include "http2_nghttp2_server.hpp"

namespace {

using namespace micro::http2;
using micro::fuzz::Input;
using micro::fuzz::require;
using micro::fuzz::require_equal;
using micro::fuzz::Verdict;

// Our side: what one frame leads to.
class Ours : public Events {
 public:
  explicit Ours(const Options& options) : session_(Role::kServer, options, *this) {}

  Verdict feed(std::string_view bytes) {
    verdict_ = {};
    if (const auto done = session_.feed(bytes, {}); !done) {
      verdict_.connection_error = true;
      verdict_.why = done.error().message();
      return verdict_;
    }
    verdict_.read_output(testing::take(session_));
    return verdict_;
  }

  void answer(std::uint32_t id) {
    if (const auto found = streams_.find(id); found != streams_.end())
      session_.submit_headers(*found->second, testing::kOk, true);
    (void)testing::take(session_);
  }

  micro::fuzz::StreamWas what_is(std::uint32_t id) const {
    if (streams_.contains(id)) return tunnels_.contains(id) ? micro::fuzz::StreamWas::kTunnel : micro::fuzz::StreamWas::kOther;
    // It has been, or was skipped.
    return id != 0 && id <= session_.last_peer_stream_id() ? micro::fuzz::StreamWas::kClosed : micro::fuzz::StreamWas::kOther;
  }

  void on_headers(Stream& stream, const HeaderBlock& block, bool end) override {
    streams_[stream.id()] = &stream;
    if (block.method == "CONNECT") tunnels_.insert(stream.id());
    std::string& line = verdict_.delivered;
    line.append("request ").append(block.method).append(" ").append(block.scheme).append(" ").append(block.path);
    line.append(" ").append(block.protocol);
    fields(block, end);
  }
  void on_data(Stream& stream, std::string_view data, bool end) override {
    verdict_.data(data);
    session_.consumed(stream, data.size());  // as nghttp2 does by itself
    if (end) verdict_.delivered += "end\n";
  }
  void on_trailers(Stream&, const HeaderBlock& block) override {
    verdict_.delivered += "trailers";
    fields(block, true);
  }
  void on_reset(Stream&, ErrorCode, bool by_peer) override {
    if (by_peer) verdict_.delivered += "reset\n";
  }
  void on_close(Stream& stream) override { streams_.erase(stream.id()); }

 private:
  void fields(const HeaderBlock& block, bool end) {
    for (const Field& field : block.fields) verdict_.field(field.name, field.value);
    verdict_.delivered += end ? " end\n" : "\n";
  }

  Verdict verdict_;
  std::map<std::uint32_t, Stream*> streams_;
  std::set<std::uint32_t> tunnels_;
  Session session_;
};

// A frame, or a header block in several of them: both see all of it before they are compared. Empty when the rest is none: an
// error in the header of a frame is told at once by one side and with the end of the frame by the other.
std::string_view next_unit(std::string_view bytes) {
  for (std::size_t size = 0; bytes.size() - size >= kFrameHeaderSize;) {
    const FrameHeader header = load_frame_header(bytes.data() + size);
    size += kFrameHeaderSize + header.length;
    if (size > bytes.size()) break;
    const bool block = header.type == FrameType::kHeaders || header.type == FrameType::kContinuation;
    if (!block || header.has(kFlagEndHeaders)) return bytes.substr(0, size);
  }
  return {};
}

// nghttp2 looks at an empty header block only when it sees what comes behind it: a frame of a type nobody knows. False when the
// block is not complete: nghttp2 judges its beginning already.
bool push_on(std::string& unit) {
  FrameHeader last;
  for (std::size_t at = 0; at < unit.size(); at += kFrameHeaderSize + last.length) last = load_frame_header(unit.data() + at);
  if (last.type != FrameType::kHeaders && last.type != FrameType::kContinuation) return true;
  unit += testing::frame(static_cast<FrameType>(0xfa), 0, 0);
  return last.has(kFlagEndHeaders);
}

}  // namespace

MICRO_FUZZ_TARGET(http2_nghttp2) {
  Input in(input);
  const auto choice = in.byte();
  Options options{.max_concurrent_streams = (choice & 1) != 0 ? 3U : 100U, .enable_connect_protocol = (choice & 2) != 0};
  Ours ours(options);
  micro::fuzz::Nghttp2Server theirs(options);
  const std::string hello = testing::ServerPeer::hello();
  (void)ours.feed(hello);
  (void)theirs.feed(hello);

  // Either frames as they stand in the input, or built from it.
  const bool raw = (choice & 4) != 0;
  micro::fuzz::FrameSource source(true);
  std::string_view rest = raw ? in.rest() : std::string_view();
  while (raw ? !rest.empty() : !in.empty()) {
    std::string unit;
    if (raw) {
      unit = next_unit(rest);
      rest.remove_prefix(unit.size());
    } else {
      const auto op = in.byte();
      if (op >= 0xe0) {
        const std::uint32_t id = 1 + 2 * static_cast<std::uint32_t>(in.below(8));
        ours.answer(id);
        theirs.answer(id);
        if (theirs.is_done()) return;
        continue;
      }
      unit = source.frame(in, op);
    }
    if (unit.empty() || !push_on(unit)) return;
    const auto was = ours.what_is(load_frame_header(unit.data()).stream_id);
    const Verdict we = ours.feed(unit);
    const Verdict they = theirs.feed(unit);
    const FrameHeader head = load_frame_header(unit.data());
    const std::string frames = "frame: type " + std::to_string(static_cast<int>(head.type)) + " flags " +
                               std::to_string(head.flags) + " stream " + std::to_string(head.stream_id) + " length " +
                               std::to_string(head.length) + "\nours: " + we.outcome() + " " + we.why + we.delivered +
                               "\nnghttp2: " + they.outcome() + " " + they.why + they.delivered;
    if (micro::fuzz::tracing()) micro::fuzz::trace(frames);
    if (allowed_difference(unit, we, they, was)) return;
    require_equal(we.outcome(), they.outcome(), "ours and nghttp2 do not agree\n" + frames);
    if (we.connection_error || theirs.is_done()) return;
    // Of what is refused in the end one side may have told a part.
    if (!we.stream_errors.empty()) continue;
    require_equal(we.delivered, they.delivered, "ours and nghttp2 deliver different things\n" + frames);
    require_equal(we.body, they.body, "ours and nghttp2 deliver different data\n" + frames);
  }
}
