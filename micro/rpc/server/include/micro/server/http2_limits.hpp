#pragma once

#include <cstddef>
#include <cstdint>

#include <micro/duration/chrono.hpp>

namespace micro::rpc {

// What one HTTP/2 peer may send that costs it little and a server much. Honest clients stay far below the defaults; beyond any of
// them but the last, the connection is ended with GOAWAY and ENHANCE_YOUR_CALM, which says why. Server::listen() fails when a
// value is out of range.
struct Http2Limits {
  // How long the first three take to be available in full again: each may be used up at once and is refilled evenly. 1 ms to 1 h.
  Duration window = std::chrono::seconds(10);
  // Streams cut short by the client or by its errors ("rapid reset", "MadeYouReset"). Each that runs to its end adds one, up to
  // the limit, so that clients which cancel less than they complete are never stopped. 1 to 1,000,000.
  std::uint32_t max_resets = 1000;
  // Frames that only steer or do nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE and the like. Each stream adds 4 and each DATA
  // frame of an answer 8, up to the limit. 10 to 1,000,000.
  std::uint32_t max_control_frames = 10000;
  // DATA frames without a byte that do not end their stream. 1 to 1,000,000.
  std::uint32_t max_empty_frames = 1000;
  // CONTINUATION frames of one header section. 1 to 10,000.
  std::uint32_t max_continuations = 32;
  // Settings in one SETTINGS frame, repetitions included. 8, which is how many there are, to 2730, which is all that fit.
  std::uint32_t max_settings = 32;
  // Acknowledgements and RST_STREAM frames that wait because the client does not read. 4 to 1,000,000.
  std::uint32_t max_queued_replies = 1024;
  // Bytes of answers that wait on one connection, for the socket and for windows. Beyond, new calls are refused in a way that
  // tells the client to retry; beyond four times as much, answers are dropped. 64 KiB to 1 TiB.
  std::size_t max_queued_data = 64 * 1024 * 1024;
};

}  // namespace micro::rpc
