#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/bytes/chain.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/http2/error_code.hpp>
#include <micro/http2/events.hpp>
#include <micro/http2/field.hpp>
#include <micro/http2/options.hpp>
#include <micro/http2/stream.hpp>

namespace micro::http2 {

class SessionImpl;

// One HTTP/2 connection (RFC 9113) without a socket and without a clock: bytes in, events and bytes out. Both roles.
//
// The owner passes what it reads to feed() and writes what it finds in output() after every call that may have added to it, at
// best once for a whole batch of calls. Priorities are ignored (RFC 9113 section 5.3.2); push is never used and refused.
//
// Thread safety: none; one thread at a time. Lifetime: `events` must outlive the session. Destroying a session raises no event:
// call abort() first when streams may be open.
class Session {
 public:
  // Queues the connection preface (client) and our SETTINGS in the output. Values of `options` outside the range RFC 9113
  // allows are moved to the nearest allowed one.
  Session(Role role, const Options& options, Events& events);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // --- Connection ---

  // Processes bytes from the peer, split at will. `now` must not go back; it serves the flood limits and the measurement of
  // round trips. A server expects the 24 bytes of the client's preface first.
  // Fails when the connection is beyond repair: reason is the name of the ErrorCode, GOAWAY is in the output, every stream has
  // had on_reset and on_close. The owner flushes the output and closes; further calls fail alike.
  Result<void> feed(std::string_view bytes, TimePoint now);

  // Bytes to send. The owner consumes them, or takes all with Chain's moves. Small until flow-control windows are large: data
  // within the peer's windows is framed at once.
  Chain& output() noexcept;

  // The transport is gone: every open stream gets on_reset(code) and on_close, and nothing more is sent or accepted.
  void abort(ErrorCode code);

  // Server, before any feed(): takes over an HTTP/1.1 request that asked for "Upgrade: h2c" (RFC 7540 section 3.2). `settings` is
  // the HTTP2-Settings header, base64url-decoded; `head` the request as HTTP/2 fields (pseudo-header fields first,
  // connection-specific ones left out); `body` its whole body. Raises on_headers for stream 1, and on_data with the end of the
  // stream when there is a body. The owner answers 101 first and sends output() behind it; the client's preface follows.
  // Fails with INVALID_ARGUMENT when settings or head are malformed: answer 400 instead and drop the session.
  Result<void> upgrade(std::string_view settings, std::span<const Field> head, std::string_view body);

  // Sends a PING; Events::on_ping_ack answers. Any payload; the owner tells its own pings apart by it.
  void ping(std::uint64_t payload);

  // Starts to go away (RFC 9113 section 6.8). With kNoError a server first announces 2^31-1, so that requests under way are not
  // lost, and names its real last stream when the client has shown (by answering a PING) that it knows, or when
  // finish_goaway() is called, whichever is first. Streams that are open go on to their end. With another code the last
  // stream is named at once. `debug` is for people at the other end; at most 1 KiB of it is sent.
  void goaway(ErrorCode code, std::string_view debug = {});
  void finish_goaway();
  // True once no new stream of the peer will be accepted: with active_streams() == 0 the connection can be closed.
  bool goaway_finished() const noexcept;

  // --- Receiving ---

  // Gives `bytes` of received data back to the stream's window. The connection window is credited by itself, so that one slow
  // stream does not stop the others. WINDOW_UPDATE frames are sent when half a window has gathered.
  void consumed(Stream& stream, std::size_t bytes);

  // --- Client: opening streams ---

  // Sends a request. nullptr when none may be opened now: see can_open(). `fields`: pseudo-header fields first.
  Stream* open(std::span<const Field> fields, bool end_stream);

  // The fast path for callers that repeat themselves: a block from encode_static() followed by `extra` fields, which are sent
  // without indexing. Not for HEAD requests: the session has to see the method to know that no body comes.
  Stream* open_encoded(std::string_view block, std::span<const Field> extra, bool end_stream);

  // False while the peer's SETTINGS_MAX_CONCURRENT_STREAMS is reached (a stream that closes changes that; 100 are assumed until
  // the peer's SETTINGS arrive), and for good after GOAWAY either way, a failure, or when the stream ids are used up.
  bool can_open() const noexcept;

  // --- Sending on a stream ---
  // All of these are ignored on a stream whose local side is closed. A call with end_stream closes it; when the peer's side is
  // closed too the stream is gone (on_close) before the call returns.

  // Response headers, an interim (1xx) response, or trailers (end_stream true, after the headers). Trailers wait for data queued
  // before them. Throws std::logic_error for a header section without end_stream behind queued data: HTTP has no such thing.
  void submit_headers(Stream& stream, std::span<const Field> fields, bool end_stream);
  // The same with a block from encode_static().
  void submit_encoded_headers(Stream& stream, std::string_view block, bool end_stream);

  // Body bytes: framed as far as both send windows allow, the rest queued and sent as WINDOW_UPDATEs arrive; streams that wait
  // for the connection window take turns, a frame each. The Buffer overload moves instead of copying where that pays.
  void submit_data(Stream& stream, std::string_view data, bool end_stream);
  void submit_data(Stream& stream, Buffer&& data, bool end_stream);

  // Serialising straight into the output: room for up to `max_payload` bytes behind a DATA frame header, or nullptr when the
  // windows, the peer's frame size or data already queued forbid a frame of that size now (then use submit_data). commit_data
  // fixes the header; nothing else may be called in between. A begin_data without commit_data sends nothing.
  char* begin_data(Stream& stream, std::size_t max_payload);
  void commit_data(Stream& stream, std::size_t payload, bool end_stream);

  // Sends RST_STREAM, drops what is queued, closes the stream (on_close, no on_reset). A server that has answered before it read
  // the whole request asks the client to stop with kNoError (RFC 9113 section 8.1).
  void reset(Stream& stream, ErrorCode code);

  // --- State ---

  // Body bytes of all streams that wait for the peer's windows: the sum of Stream::queued().
  std::size_t queued() const noexcept;
  // For how long bytes have been queued without a break while fewer than `min_bytes` of DATA went into the output: the peer keeps
  // its windows shut, or opens them by a crack. The session has no clock of its own, so the answer is as exact as the owner calls
  // this often, with the present time; zero at the first call. Call it every second or so and end the connection when it is
  // longer than a peer deserves.
  Duration stalled(TimePoint now, std::uint64_t min_bytes = 1) noexcept;

  std::size_t active_streams() const noexcept;
  // Calls `visit` for every open stream, oldest first. It may reset and close streams.
  void for_each_stream(void (*visit)(Stream& stream, void* argument), void* argument);
  bool peer_goaway() const noexcept;
  // As announced by the peer; 100 before its SETTINGS have arrived, 2^32-1 when it sets no limit.
  std::uint32_t peer_max_concurrent_streams() const noexcept;
  // The highest stream of the peer that was processed; 0 when none.
  std::uint32_t last_peer_stream_id() const noexcept;
  // True when the peer's SETTINGS have arrived: the handshake is complete.
  bool ready() const noexcept;
  // Client: the server takes extended CONNECT (RFC 8441), a CONNECT request with a ":protocol" pseudo-header field.
  bool peer_connect_protocol() const noexcept;
  const Counters& counters() const noexcept;

 private:
  std::unique_ptr<SessionImpl> impl_;
};

}  // namespace micro::http2
