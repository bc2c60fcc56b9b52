// Any bytes behind the handshake, to a server or (odd first byte) a client with two requests under way: events in their order,
// the same however the bytes were split, no more output than the input deserves, and everything closed at the end.
#include "http2_log.hpp"
#include "testing.hpp"

namespace {

using namespace micro::http2;
using micro::fuzz::Copy;
using micro::fuzz::Http2Log;
using micro::fuzz::require;
using micro::fuzz::require_equal;

constexpr std::size_t kAnswerSize = 100;

// A server answers when the request has ended; every third one at once, every fifth not at all.
void answer(Http2Log& log, Stream& stream, bool end) {
  if (stream.id() % 5 == 0 || end == (stream.id() % 3 == 0)) return;
  log.session->submit_headers(stream, testing::kOk, false);
  log.session->submit_data(stream, std::string(kAnswerSize, 'a'), false);
  log.session->submit_headers(stream, testing::kTrailer, true);
}

std::string run(std::string_view input, unsigned choice, std::size_t step) {
  const bool server = (choice & 1) == 0;
  Options options;
  if ((choice & 2) != 0) {
    options = {.max_concurrent_streams = 3,
               .initial_window = 100,
               .connection_window = 65535,
               .max_header_list_size = 300,
               .max_header_count = 6,
               .max_resets = 5,
               .max_empty_frames = 3,
               .max_continuations = 3,
               .max_queued_replies = 10};
  }
  options.enable_connect_protocol = (choice & 4) != 0;
  Http2Log log(server);
  Session session(server ? Role::kServer : Role::kClient, options, log);
  log.session = &session;
  if (server) {
    log.act = answer;
    require(session.feed(testing::ServerPeer::hello(), {}).has_value(), "the handshake fails");
  } else {
    require(session.feed(testing::settings() + testing::settings_ack(), {}).has_value(), "the handshake fails");
    log.opened(*session.open(testing::kGet, true));
    log.opened(*session.open(testing::kPost, false));
  }
  (void)testing::take(session);

  bool failed = false;
  for (std::size_t at = 0; at < input.size() && !failed; at += step) {
    const Copy piece(input.substr(at, step));
    const auto done = session.feed(piece.view(), {});
    failed = !done;
    if (failed) log.text.append("\nfailed ").append(done.error().message());
  }
  require(session.active_streams() == log.live_count(), "the session counts other streams than its owner");
  if (failed) {
    require(session.active_streams() == 0, "a failed session has live streams");
    require(!session.feed("x", {}), "a failed session goes on");
  }
  const std::string output = testing::take(session);
  const std::size_t answers = 200 + kAnswerSize + 3 * kFrameHeaderSize;
  require(output.size() <= 4096 + 16 * input.size() + answers * session.counters().streams_opened,
          "more output than input deserves");
  log.text.append("\n").append(micro::fuzz::describe_output(output));
  session.abort(ErrorCode::kCancel);
  require(log.live_count() == 0 && session.active_streams() == 0, "streams outlive the connection");
  return log.text;
}

}  // namespace

MICRO_FUZZ_TARGET(http2_bytes) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  const std::string whole = run(input, choice, input.size() + 1);
  require_equal(whole, run(input, choice, 1), "events depend on how the bytes were split (single bytes)");
  require_equal(whole, run(input, choice, 2 + micro::fuzz::hash(input) % 61), "events depend on how the bytes were split");
}
