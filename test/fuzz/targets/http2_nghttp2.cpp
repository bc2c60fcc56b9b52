// The same frames into our session and nghttp2's, both servers or both clients: what one delivers the other delivers, what one
// refuses the other refuses, frame by frame. Where the RFC leaves room, http2_differences.hpp says so and the run ends there.
#include <map>
#include <set>

#include "http2_differences.hpp"
#include "http2_frame_source.hpp"
#include "http2_nghttp2_session.hpp"

namespace {

using namespace micro::http2;
using micro::fuzz::Input;
using micro::fuzz::require;
using micro::fuzz::require_equal;
using micro::fuzz::StreamWas;
using micro::fuzz::Verdict;

// Our side: what one frame leads to.
class Ours : public Events {
 public:
  Ours(Role role, const Options& options) : server_(role == Role::kServer), session_(role, options, *this) {}

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

  // The number of the stream, 0 when none can be opened.
  std::uint32_t request(const testing::Fields& fields, bool end) {
    Stream* const stream = session_.open(fields, end);
    (void)testing::take(session_);
    if (stream == nullptr) return 0;
    last_ = stream->id();
    streams_[last_] = stream;
    if (fields.front().value == "CONNECT") connects_.insert(last_);
    return last_;
  }
  void end(std::uint32_t id) {
    if (const auto found = streams_.find(id); found != streams_.end()) session_.submit_data(*found->second, "", true);
    (void)testing::take(session_);
  }
  void reset(std::uint32_t id) {
    if (const auto found = streams_.find(id); found != streams_.end()) session_.reset(*found->second, ErrorCode::kCancel);
    (void)testing::take(session_);
  }

  StreamWas what_is(std::uint32_t id) const {
    if (streams_.contains(id)) {
      if (tunnels_.contains(id)) return StreamWas::kTunnel;
      return connects_.contains(id) ? StreamWas::kConnect : StreamWas::kOther;
    }
    // It has been, or was skipped.
    return id != 0 && id <= (server_ ? session_.last_peer_stream_id() : last_) ? StreamWas::kClosed : StreamWas::kOther;
  }

  void on_headers(Stream& stream, const HeaderBlock& block, bool end) override {
    streams_[stream.id()] = &stream;
    std::string& line = verdict_.delivered;
    if (!server_) {
      const bool tunnel = connects_.contains(stream.id()) && block.status.starts_with('2');
      if (tunnel) tunnels_.insert(stream.id());
      line.append("response ").append(block.status);
      // nghttp2 leaves out the lengths that mean nothing.
      return fields(block, end, tunnel || block.status == "204" ? "content-length" : "");
    }
    if (block.method == "CONNECT") tunnels_.insert(stream.id());
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
  void fields(const HeaderBlock& block, bool end, std::string_view without = {}) {
    for (const Field& field : block.fields) {
      if (field.name != without) verdict_.field(field.name, field.value);
    }
    verdict_.delivered += end ? " end\n" : "\n";
  }

  const bool server_;
  Verdict verdict_;
  std::map<std::uint32_t, Stream*> streams_;
  std::set<std::uint32_t> connects_;  // of a client
  std::set<std::uint32_t> tunnels_;
  std::uint32_t last_ = 0;  // that a client has opened
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

// What the owner of both does of its own accord. False when the two have opened different streams.
bool act(Input& in, bool server, Ours& ours, micro::fuzz::Nghttp2Session& theirs, micro::fuzz::FrameSource& source) {
  if (server) {
    const std::uint32_t id = 1 + 2 * static_cast<std::uint32_t>(in.below(8));
    ours.answer(id);
    theirs.answer(id);
    return true;
  }
  static const testing::Fields kHead = {{":method", "HEAD"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
  static const testing::Fields kConnect = {{":method", "CONNECT"}, {":authority", "a:443"}};
  static const testing::Fields* const kRequests[] = {&testing::kGet, &testing::kPost, &kHead, &kConnect};
  const std::size_t choice = in.below(6);
  if (choice < std::size(kRequests)) {
    const bool end = choice % 2 == 0;
    const std::uint32_t id = ours.request(*kRequests[choice], end);
    // What cannot be opened now nghttp2 would open later.
    if (id == 0) return true;
    source.opened(id);
    return theirs.request(*kRequests[choice], end) == id;
  }
  const std::uint32_t id = 1 + 2 * static_cast<std::uint32_t>(in.below(8));
  if (choice == 4) {
    ours.end(id);
    theirs.end(id);
  } else {
    ours.reset(id);
    theirs.reset(id);
  }
  return true;
}

}  // namespace

MICRO_FUZZ_TARGET(http2_nghttp2) {
  Input in(input);
  const auto choice = in.byte();
  Options options{.max_concurrent_streams = (choice & 1) != 0 ? 3U : 100U, .enable_connect_protocol = (choice & 2) != 0};
  const bool server = (choice & 8) == 0;
  const Role role = server ? Role::kServer : Role::kClient;
  Ours ours(role, options);
  micro::fuzz::Nghttp2Session theirs(role, options);
  const std::string hello = server ? testing::ServerPeer::hello() : testing::settings() + testing::settings_ack();
  (void)ours.feed(hello);
  (void)theirs.feed(hello);

  // Either frames as they stand in the input, or built from it.
  const bool raw = (choice & 4) != 0;
  micro::fuzz::FrameSource source(server);
  // Answers need requests; where the frames stand in the input these are all of them.
  if (!server) {
    Input one_each(std::string_view("\0\1\2\3", 4));
    while (!one_each.empty()) require(act(one_each, server, ours, theirs, source), "nghttp2 does not open a stream");
  }
  std::string_view rest = raw ? in.rest() : std::string_view();
  while (raw ? !rest.empty() : !in.empty()) {
    std::string unit;
    if (raw) {
      unit = next_unit(rest);
      rest.remove_prefix(unit.size());
    } else {
      const auto op = in.byte();
      if (op >= 0xe0) {
        require(act(in, server, ours, theirs, source), "ours opens a stream that nghttp2 does not");
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
