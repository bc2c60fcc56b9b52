#pragma once

#include <cstddef>
#include <cstdint>

namespace micro::websocket {

// Which end of the connection a session plays: clients mask what they send (RFC 6455, section 5.3).
enum class Role : std::uint8_t { kServer, kClient };

enum class MessageKind : std::uint8_t { kText = 1, kBinary = 2 };

// The largest frame a message of this size can take: deflate adds 5 bytes to each 16 KiB that it cannot compress, and a few at
// the end.
constexpr std::uint64_t max_frame_for(std::size_t message) noexcept { return std::uint64_t{message} + message / 1024 + 1024; }

// How a session behaves; all sizes in bytes. A peer that exceeds a limit is sent close code 1009 and Session::next fails.
struct Options {
  // A whole message, after decompression: what a peer can make us hold, a decompression bomb included. A frame that would go
  // beyond it is refused before its payload is read.
  std::size_t max_message = 16 * 1024 * 1024;

  // The payload of one frame as it is on the wire; a little more than max_message, because compression can make data longer.
  std::uint64_t max_frame = max_frame_for(16 * 1024 * 1024);

  // Frames without payload that one message may be cut into. They cost a peer nothing and never fill a message.
  std::uint32_t max_empty_frames = 1000;

  // Messages below this size are sent uncompressed although compression was agreed on: it would cost more than it saves.
  std::size_t compress_from = 128;

  // zlib's level, 1 (fast) to 9 (small).
  int compression_level = 6;

  // Where masking keys come from; they must not be predictable (RFC 6455, section 10.3). nullptr: OpenSSL's generator. For tests.
  std::uint32_t (*mask_source)() = nullptr;
};

}  // namespace micro::websocket
