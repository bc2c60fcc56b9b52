// Frames of a peer and calls of the owner, mixed, on a server or a client: the promises of Session and Events at any depth, and
// the same events when every byte comes alone. The first byte chooses role and options, then one byte an operation.
#include <stdexcept>

#include "http2_frame_source.hpp"
#include "http2_log.hpp"

namespace {

using namespace micro::http2;
using micro::fuzz::Http2Log;
using micro::fuzz::Input;
using micro::fuzz::require;

Options options_for(unsigned choice) {
  Options options;
  if ((choice & 2) != 0) {
    options = {.max_concurrent_streams = 4,
               .initial_window = 200,
               .connection_window = 65535,
               .max_window = (choice & 8) != 0 ? 100'000U : 200U,
               .max_header_list_size = 400,
               .max_resets = 12,
               .max_empty_frames = 6,
               .max_continuations = 4,
               .max_queued_replies = 30};
  }
  if ((choice & 4) != 0) options.header_table_size = (choice & 16) != 0 ? 0 : 65536;
  options.enable_connect_protocol = (choice & 32) != 0;
  return options;
}

class Run {
 public:
  Run(Input in, unsigned choice, bool single_bytes)
      : in_(in),
        single_bytes_(single_bytes),
        server_((choice & 1) == 0),
        log_(server_),
        session_(server_ ? Role::kServer : Role::kClient, options_for(choice), log_),
        source_(server_) {
    log_.session = &session_;
    if (server_ && (choice & 64) != 0 && !upgrade()) return;
    feed(server_ ? testing::ServerPeer::hello() : testing::settings() + testing::settings_ack());
  }

  std::string all() {
    while (!in_.empty() && !over_) step();
    log_.text.append("\n").append(micro::fuzz::describe_output(testing::take(session_)));
    session_.abort(ErrorCode::kCancel);
    require(session_.active_streams() == 0 && log_.live_count() == 0, "streams outlive the connection");
    return log_.text;
  }

 private:
  bool upgrade() {
    const testing::Fields fields = {
        {":method", "GET"}, {":scheme", "http"}, {":path", "/up"}, {":authority", "a"}, {"x", in_.bytes(in_.below(8))}};
    const std::string body(in_.bytes(in_.below(8)));
    const auto done = session_.upgrade(in_.bytes(6 * in_.below(3)), fields, body);
    over_ = !done;
    return !over_;
  }

  void feed(std::string_view bytes) {
    const std::size_t size = single_bytes_ ? 1 : bytes.size();
    for (std::size_t at = 0; at < bytes.size() && !over_; at += size) {
      const micro::fuzz::Copy piece(bytes.substr(at, size));
      const auto done = session_.feed(piece.view(), now_);
      if (done) continue;
      over_ = true;
      log_.text.append("\nfailed ").append(done.error().message());
      require(session_.active_streams() == 0, "a failed session has live streams");
    }
    require(session_.active_streams() == log_.live_count(), "the session counts other streams than its owner");
  }

  void step() {
    const auto op = in_.byte();
    if (op < 0xa0) return feed(source_.frame(in_, op));
    Stream* const stream = log_.live(in_.below(8));
    switch (op % 16) {
      case 0:
        return open();
      case 1:
      case 2:
        if (stream != nullptr) session_.submit_data(*stream, in_.text(), (op & 16) != 0);
        return;
      case 3: {
        micro::Buffer data;
        data.append(std::string(in_.u16(), 'o'));
        if (stream != nullptr) session_.submit_data(*stream, std::move(data), (op & 16) != 0);
        return;
      }
      case 4:
      case 5:
        return answer(stream, (op & 16) != 0);
      case 6:
        if (stream != nullptr) session_.submit_encoded_headers(*stream, testing::block(testing::kTrailer), true);
        return;
      case 7:
        if (stream != nullptr) session_.reset(*stream, static_cast<ErrorCode>(in_.byte() % 16));
        return;
      case 8:
        if (stream != nullptr) session_.consumed(*stream, in_.u16() % (log_.received + 1));
        return;
      case 9:
        return in_place(stream);
      case 10:
        return session_.ping(op);
      case 11:
        return session_.goaway((op & 16) != 0 ? ErrorCode::kNoError : ErrorCode::kEnhanceYourCalm, in_.text());
      case 12:
        return session_.finish_goaway();
      case 13:
        now_ += std::chrono::milliseconds(in_.u16());
        return;
      case 14:
        return drain();
      default:
        if (in_.byte() != 0xff) return;
        session_.abort(ErrorCode::kInternalError);
        over_ = true;
    }
  }

  void open() {
    const auto choice = in_.byte();
    const bool end = (choice & 1) != 0;
    require(!server_ || !session_.can_open(), "a server may open a stream");
    if (server_) return;
    const bool can = session_.can_open();
    Stream* const stream = (choice & 2) != 0 ? session_.open(testing::kPost, end)
                                             : session_.open_encoded(testing::block(testing::kGet), testing::kTrailer, end);
    require((stream != nullptr) == can, "can_open() and open() disagree");
    if (stream != nullptr) log_.opened(*stream);
  }

  void answer(Stream* stream, bool end) {
    if (stream == nullptr) return;
    // The one way to use it wrongly that the header names.
    if (stream->queued() != 0 && !end) return;
    session_.submit_headers(*stream, end ? testing::kTrailer : testing::kOk, end);
  }

  void in_place(Stream* stream) {
    const std::size_t size = in_.byte();
    if (stream == nullptr) return;
    char* const room = session_.begin_data(*stream, size);
    if (room == nullptr) return;
    std::fill_n(room, size, 'p');
    session_.commit_data(*stream, size / 2, in_.flag());
  }

  void drain() { log_.text.append("\n").append(micro::fuzz::describe_output(testing::take(session_))); }

  Input in_;
  bool single_bytes_;
  bool server_;
  bool over_ = false;
  Http2Log log_;
  micro::TimePoint now_{};
  Session session_;
  micro::fuzz::FrameSource source_;
};

}  // namespace

MICRO_FUZZ_TARGET(http2_frames) {
  Input in(input);
  const auto choice = in.byte();
  micro::fuzz::require_equal(Run(in, choice, false).all(), Run(in, choice, true).all(),
                             "events depend on how the bytes were split");
}
