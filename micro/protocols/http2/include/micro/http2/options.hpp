#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <micro/duration/chrono.hpp>

namespace micro::http2 {

// Which end of the connection a session plays.
enum class Role : std::uint8_t { kServer, kClient };

// How a session behaves. The defaults suit RPC between services; the limits keep one peer from costing more than its share.
// A peer that exceeds a flood limit is sent GOAWAY with ENHANCE_YOUR_CALM and debug data that says why, and Session::feed fails.
struct Options {
  // Streams the peer may have open at once, announced in SETTINGS_MAX_CONCURRENT_STREAMS. Excess ones are refused with
  // REFUSED_STREAM, which tells the client that a retry is safe. Clients announce nothing: servers cannot push to us.
  std::uint32_t max_concurrent_streams = 1024;

  // Receive window of each stream at its start, bytes, 1 to 2^31-1. Bounds what one stream can make us hold. 1 MiB lets a
  // message of usual size arrive without waiting a round trip; the RFC's own 64 KiB does not. Below 256 it makes every sender
  // look like an attacker to us: see max_control_frames.
  std::uint32_t initial_window = 1 << 20;

  // Receive window of the whole connection, bytes, 65,535 to 2^31-1.
  std::uint32_t connection_window = 16 << 20;

  // The most the stream window may grow to by itself, bytes. While bulk data arrives the session measures how much is under
  // way in one round trip and doubles the windows when they are what limits it. At or below initial_window: no growth.
  std::uint32_t max_window = 16 << 20;

  // Largest frame payload we accept, bytes, 16,384 to 2^24-1. Larger frames delay others on the connection.
  std::uint32_t max_frame_size = 16384;

  // Largest header section we accept: names + values + 32 bytes a field (RFC 9113 section 6.5.2). A larger one resets its
  // stream with ENHANCE_YOUR_CALM. One that is more than four times as large ends the connection as soon as that is seen,
  // whatever is left of it ("HPACK bomb"); so does an encoded block larger than this that comes in several frames.
  std::uint32_t max_header_list_size = 64 << 10;

  // Most fields in one header section, for the same reason and with the same effects.
  std::uint32_t max_header_count = 256;

  // Size of the HPACK table the peer may use towards us, bytes. Costs up to twice as much memory a connection.
  std::uint32_t header_table_size = 4096;

  // Server: announce and accept extended CONNECT (RFC 8441), which carries WebSocket over HTTP/2.
  bool enable_connect_protocol = false;

  // How long max_resets, max_control_frames and max_empty_frames take to be available in full again. Each is a budget that may be
  // used up at once and is refilled evenly. At least 1 ms.
  Duration flood_window = std::chrono::seconds(10);

  // Streams cut short because of the peer: by its RST_STREAM ("rapid reset", CVE-2023-44487; servers only, clients open their
  // streams themselves) or by an error of its own that makes us reset them ("MadeYouReset", CVE-2025-8671). Such a stream costs
  // its sender nothing and us a call. Each stream that runs to its end adds one, up to the limit, so that clients which cancel
  // less than they complete are never stopped, however busy they are.
  std::uint32_t max_resets = 1000;

  // Frames that only steer or do nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, GOAWAY, unknown types, interim responses,
  // header sections on streams that are gone (CVE-2019-9512, 9513, 9515). Acknowledgements that are due are not counted. Each
  // stream adds 4 and each DATA frame we send 8, up to the limit: that is more than any client needs to steer them. DATA frames
  // of less than 256 bytes that the peer's window has cut off add nothing ("data dribble", CVE-2019-9511).
  std::uint32_t max_control_frames = 10000;

  // DATA frames without payload and without END_STREAM (CVE-2019-9518).
  std::uint32_t max_empty_frames = 1000;

  // CONTINUATION frames of one header section, empty ones included (CVE-2024-27316).
  std::uint32_t max_continuations = 32;

  // Settings in one SETTINGS frame, repetitions included (CVE-2020-11080).
  std::uint32_t max_settings = 32;

  // Replies (acknowledgements of PING and SETTINGS, RST_STREAM) that may wait in the output because nobody reads it.
  std::uint32_t max_queued_replies = 1024;

  // Bytes waiting for the peer, in the output and for its windows, beyond which no stream is accepted: excess ones are refused
  // with REFUSED_STREAM. What is submitted while four times as much waits for windows is not kept; its stream is reset with
  // ENHANCE_YOUR_CALM. So a peer that asks for much and reads nothing (CVE-2019-9517, "zero window") costs no more than this
  // and a reply. For how long is up to the owner: see Session::stalled.
  std::size_t max_queued_data = 64 << 20;
};

// Which flood limit has ended a connection.
enum class Flood : std::uint8_t {
  kNone,
  kResets,         // Options::max_resets
  kControlFrames,  // Options::max_control_frames
  kEmptyFrames,    // Options::max_empty_frames
  kContinuations,  // Options::max_continuations
  kHeaderSize,     // Options::max_header_list_size or max_header_count: an encoded block, or what it expands to
  kTableUpdates,   // more dynamic table size updates in a row than have a meaning (RFC 7541 section 4.2)
  kSettings,       // Options::max_settings
  kQueuedReplies,  // Options::max_queued_replies
};

// "resets" for kResets, and so on: a label for metrics.
std::string_view to_string(Flood flood) noexcept;

// What a session has done so far. Read by whoever publishes metrics; counting costs an increment.
struct Counters {
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;  // put into the output
  std::uint64_t frames_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t data_bytes_received = 0;  // DATA payload without padding
  std::uint64_t data_bytes_sent = 0;
  std::uint64_t data_frames_sent = 0;
  std::uint64_t dribbled_frames = 0;  // of these, cut off below 256 bytes by the peer's window
  std::uint64_t control_frames = 0;   // received, as Options::max_control_frames counts them
  std::uint64_t empty_frames = 0;     // received DATA frames without payload and without END_STREAM
  std::uint64_t streams_opened = 0;
  std::uint64_t streams_refused = 0;          // beyond max_concurrent_streams or max_queued_data
  std::uint64_t streams_refused_backlog = 0;  // of these, beyond max_queued_data
  std::uint64_t streams_overfull = 0;         // reset because four times max_queued_data was waiting
  std::uint64_t headers_too_large = 0;  // sections beyond max_header_list_size or max_header_count: their streams were reset
  std::uint64_t resets_received = 0;    // RST_STREAM
  std::uint64_t resets_sent = 0;        // RST_STREAM, both asked for and for stream errors
  std::uint64_t stream_errors = 0;      // streams, or attempts to open one, that the peer's errors made us reset
  std::uint64_t floods = 0;             // connections ended for exceeding a flood limit: 0 or 1
  Flood flood = Flood::kNone;           // which one
  std::uint64_t window_growths = 0;     // how often autotuning raised the receive windows
  std::uint64_t headers_repeated = 0;   // header sections recognised as the same as the one before and not decoded again
};

}  // namespace micro::http2
