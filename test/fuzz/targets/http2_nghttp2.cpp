// The same frames into our server and nghttp2's: what one delivers the other delivers, what one refuses the other refuses, frame
// by frame. Where the RFC leaves room, http2_differences.hpp says so and the run ends there.
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

  void on_headers(Stream& stream, const HeaderBlock& block, bool end) override {
    streams_[stream.id()] = &stream;
    std::string& line = verdict_.delivered;
    line.append("request ").append(block.method).append(" ").append(block.scheme).append(" ").append(block.path);
    line.append(" ").append(block.protocol);
    fields(block, end);
  }
  void on_data(Stream&, std::string_view data, bool end) override {
    verdict_.data(data);
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
  Session session_;
};

// Of a header block in several frames both see all of them before they are compared.
std::size_t next_unit(std::string_view bytes) {
  std::size_t size = 0;
  for (bool whole = false; !whole && bytes.size() - size >= kFrameHeaderSize;) {
    const FrameHeader header = load_frame_header(bytes.data() + size);
    const bool block = header.type == FrameType::kHeaders || header.type == FrameType::kContinuation;
    whole = !block || header.has(kFlagEndHeaders);
    size += std::min<std::size_t>(kFrameHeaderSize + header.length, bytes.size() - size);
  }
  return size == 0 ? bytes.size() : size;
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
  micro::fuzz::Differences differences;
  while (raw ? !rest.empty() : !in.empty()) {
    std::string unit;
    if (raw) {
      unit = rest.substr(0, next_unit(rest));
      rest.remove_prefix(unit.size());
    } else {
      const auto op = in.byte();
      if (op >= 0xe0) {
        const std::uint32_t id = 1 + 2 * static_cast<std::uint32_t>(in.below(8));
        ours.answer(id);
        theirs.answer(id);
        differences.answered(id);
        continue;
      }
      unit = source.frame(in, op);
    }
    const Verdict we = ours.feed(unit);
    const Verdict they = theirs.feed(unit);
    if (differences.allowed(unit, we, they)) return;
    const std::string frames = "\nframe: " + testing::describe(unit).front() + "\nours: " + we.why;
    require_equal(we.outcome(), they.outcome(), "ours and nghttp2 do not agree" + frames);
    if (we.connection_error) return;
    require_equal(we.delivered, they.delivered, "ours and nghttp2 deliver different things" + frames);
    require_equal(we.body, they.body, "ours and nghttp2 deliver different data" + frames);
  }
}
