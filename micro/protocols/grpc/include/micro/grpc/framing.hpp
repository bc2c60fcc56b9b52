#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/bytes/chain.hpp>
#include <micro/error/error.hpp>
#include <micro/grpc/compression.hpp>

namespace micro::grpc {

// Length-Prefixed-Message of PROTOCOL-HTTP2: one byte compressed flag, four bytes length (big-endian), the message.
inline constexpr std::size_t kPrefixSize = 5;

// gRPC's own default for what a side is willing to receive.
inline constexpr std::size_t kDefaultMaxMessageSize = 4 * 1024 * 1024;

// Writes the prefix of a message of `size` bytes to `out`, which has room for kPrefixSize bytes.
inline void store_prefix(char* out, std::uint32_t size, bool compressed) noexcept {
  out[0] = compressed ? 1 : 0;
  store_be32(out + 1, size);
}

// For serialising straight behind the prefix, when the size is not known before:
//   std::size_t frame = begin_frame(out);  codec.marshal(message, out);  end_frame(out, frame, false);
// begin_frame returns the frame's offset in `out`; do not consume() in between. Cancel with out.truncate(frame).
// end_frame throws std::length_error when the message has more than 4 GiB - 1 bytes, which the prefix cannot express.
std::size_t begin_frame(Buffer& out);
void end_frame(Buffer& out, std::size_t frame, bool compressed);

// Appends prefix and payload. Throws std::length_error as end_frame does.
void append_frame(Buffer& out, std::string_view payload, bool compressed);
void append_frame(Chain& out, std::string_view payload, bool compressed);
// Moves the payload in without a copy when it is large (Chain::kCopyThreshold).
void append_frame(Chain& out, Buffer&& payload, bool compressed);

// OK when a message of `size` bytes may be sent under `limit`; else RESOURCE_EXHAUSTED naming both and max_send_message_size.
Result<void> check_send_size(std::size_t size, std::size_t limit);

// Cuts the data of one stream into messages again, however it was split on its way.
//
//   reader.feed(data);
//   for (;;) {
//     auto message = reader.next();
//     if (!message) ...                     // the stream is broken: reset it, tell the peer message.error()
//     if (!*message) break;                 // more data needed; `data` may go away now
//     use((*message)->payload);
//   }
//   at the end of the stream: reader.finish()
//
// A message that lies whole in the fed view is returned as a part of that view, without a copy. Otherwise it is gathered in a
// buffer that grows with the bytes that arrive, never with the length a peer announces.
//
// Errors, after which only reset() makes sense: RESOURCE_EXHAUSTED for a message longer than the limit (found from the prefix,
// before its bytes); INTERNAL for a compressed message on a stream without an encoding, and for an unknown flag.
// Thread safety: none; belongs to one stream.
class MessageReader {
 public:
  struct Options {
    // Bytes of one message as it stands on the wire; longer ones are refused. What a compressed one may grow to is the affair of
    // decompress(). 0 lets only empty messages pass.
    std::size_t max_message_size = kDefaultMaxMessageSize;
    // The stream's grpc-encoding.
    Compression encoding = Compression::kIdentity;
  };

  struct Message {
    std::string_view payload;  // valid until the next call of a member that is not const
    bool compressed = false;   // the payload is to be decompressed with the stream's encoding
  };

  MessageReader() = default;
  explicit MessageReader(Options options) : options_(options) {}

  // Gives the reader the next bytes of the stream. They must stay where they are until next() has returned nullopt or an error,
  // or keep() was called. Bytes of an earlier feed() that were not read yet are kept as keep() does.
  void feed(std::string_view bytes);

  // The next complete message, or nullopt when more bytes are needed.
  Result<std::optional<Message>> next();

  // Copies what is unread of the fed view, so that the view may go away before next() returned nullopt: for a consumer that
  // pauses in the middle. Ends the validity of the last message.
  void keep();

  // The peer ended the stream: OK between two messages, INTERNAL in the middle of one (or with messages not taken yet).
  Result<void> finish() const;

  // Bytes taken in and not handed out yet.
  std::size_t pending() const noexcept { return buffer_.size() - handed_ + input_.size(); }

  // Ready for another stream; memory is given back to the pool.
  void reset(Options options);

 private:
  Result<void> check_prefix(const char* prefix) const;

  Options options_;
  Buffer buffer_;           // the beginning of a message whose rest has not arrived, or what keep() saved
  std::size_t handed_ = 0;  // bytes at the front of buffer_ that the last message refers to
  std::string_view input_;  // the unread part of the fed view
};

}  // namespace micro::grpc
