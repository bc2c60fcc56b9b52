#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <micro/bytes/buffer.hpp>

namespace micro::websocket {

struct ZlibState;
struct ZlibStateDeleter {
  void operator()(ZlibState* state) const noexcept;
};

// One direction of permessage-deflate (RFC 7692, section 7.2). The zlib states are made for the first compressed message.
class Compressor {
 public:
  Compressor(std::uint8_t window_bits, bool context_takeover, int level) noexcept
      : level_(level), window_bits_(window_bits), context_takeover_(context_takeover) {}

  // zlib has no window of 256 bytes for raw deflate; such an end sends uncompressed.
  bool usable() const noexcept { return window_bits_ >= 9; }

  // Appends a piece of a message, flushed to a byte boundary; of the last one the tail 00 00 ff ff is left out. False when there
  // is no memory; the message cannot be continued then.
  bool compress(std::string_view piece, bool last, Buffer& out);

 private:
  std::unique_ptr<ZlibState, ZlibStateDeleter> state_;
  int level_;
  std::uint8_t window_bits_;
  bool context_takeover_;
};

class Decompressor {
 public:
  enum class Status : std::uint8_t { kOk, kTooLarge, kCorrupt, kNoMemory };

  Decompressor(std::uint8_t window_bits, bool context_takeover) noexcept
      : window_bits_(window_bits), context_takeover_(context_takeover) {}

  // Appends what a piece of a message gives, but lets `out` grow to no more than `max` bytes.
  Status decompress(std::string_view piece, std::size_t max, Buffer& out);
  // The message is complete.
  Status finish(std::size_t max, Buffer& out);

 private:
  std::unique_ptr<ZlibState, ZlibStateDeleter> state_;
  std::uint8_t window_bits_;
  bool context_takeover_;
  bool ended_ = false;  // the last thing seen was a block that called itself final
};

}  // namespace micro::websocket
