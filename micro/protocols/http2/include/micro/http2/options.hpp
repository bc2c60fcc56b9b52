#pragma once

#include <cstdint>

#include <micro/duration/chrono.hpp>

namespace micro::http2 {

// Which end of the connection a session plays.
enum class Role : std::uint8_t { kServer, kClient };

// How a session behaves. The defaults suit RPC between services; the limits keep one peer from costing more than its share.
// A peer that exceeds a flood limit is sent GOAWAY with ENHANCE_YOUR_CALM and Session::feed fails.
struct Options {
  // Streams the peer may have open at once, announced in SETTINGS_MAX_CONCURRENT_STREAMS. Excess ones are refused with
  // REFUSED_STREAM, which tells the client that a retry is safe. Clients announce nothing: servers cannot push to us.
  std::uint32_t max_concurrent_streams = 1024;

  // Receive window of each stream at its start, bytes, 1 to 2^31-1. Bounds what one stream can make us hold. 1 MiB lets a
  // message of usual size arrive without waiting a round trip; the RFC's own 64 KiB does not.
  std::uint32_t initial_window = 1 << 20;

  // Receive window of the whole connection, bytes, 65,535 to 2^31-1.
  std::uint32_t connection_window = 16 << 20;

  // The most the stream window may grow to by itself, bytes. While bulk data arrives the session measures how much is under
  // way in one round trip and doubles the windows when they are what limits it. At or below initial_window: no growth.
  std::uint32_t max_window = 16 << 20;

  // Largest frame payload we accept, bytes, 16,384 to 2^24-1. Larger frames delay others on the connection.
  std::uint32_t max_frame_size = 16384;

  // Largest header section we accept: names + values + 32 bytes a field (RFC 9113 section 6.5.2). A larger one resets its
  // stream with ENHANCE_YOUR_CALM; an encoded block larger than this ends the connection.
  std::uint32_t max_header_list_size = 64 << 10;

  // Most fields in one header section, for the same reason and with the same effect.
  std::uint32_t max_header_count = 256;

  // Size of the HPACK table the peer may use towards us, bytes. Costs up to twice as much memory a connection.
  std::uint32_t header_table_size = 4096;

  // Server: announce and accept extended CONNECT (RFC 8441), which carries WebSocket over HTTP/2.
  bool enable_connect_protocol = false;

  // The span of time the limits max_resets and max_empty_frames are counted in.
  Duration flood_window = std::chrono::seconds(10);

  // RST_STREAM from the peer plus stream errors it provokes, per flood_window. Stops "rapid reset" (CVE-2023-44487) and its
  // relatives: a stream opened and reset costs its sender nothing and us a call. High enough for clients that hedge.
  std::uint32_t max_resets = 10000;

  // DATA frames without payload and without END_STREAM, per flood_window.
  std::uint32_t max_empty_frames = 1000;

  // CONTINUATION frames of one header section.
  std::uint32_t max_continuations = 32;

  // Replies (acknowledgements of PING and SETTINGS, RST_STREAM) that may wait in the output because nobody reads them.
  std::uint32_t max_queued_replies = 1024;
};

// What a session has done so far. Read by whoever publishes metrics; counting costs an increment.
struct Counters {
  std::uint64_t bytes_received = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t data_bytes_received = 0;  // DATA payload without padding
  std::uint64_t data_bytes_sent = 0;
  std::uint64_t streams_opened = 0;
  std::uint64_t streams_refused = 0;   // beyond max_concurrent_streams
  std::uint64_t resets_received = 0;   // RST_STREAM
  std::uint64_t resets_sent = 0;       // RST_STREAM, both asked for and for stream errors
  std::uint64_t floods = 0;            // connections ended for exceeding a flood limit: 0 or 1
  std::uint64_t window_growths = 0;    // how often autotuning raised the receive windows
  std::uint64_t headers_repeated = 0;  // header sections recognised as the same as the one before and not decoded again
};

}  // namespace micro::http2
