#pragma once

#include <span>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/codec/message.hpp>
#include <micro/error/error.hpp>

namespace micro::codec {

// Turns messages into bytes of one content type and back.
//
// Errors: INVALID_ARGUMENT from unmarshal names the field and the position that is wrong; INTERNAL from marshal means a message
// that cannot be expressed. A codec that does not know a message's family answers UNIMPLEMENTED.
// Thread safety: all members may be called from any thread.
class Codec {
 public:
  virtual ~Codec() = default;
  // "proto", "json": the subtype in "application/grpc+<name>" and the key of the codec table.
  virtual std::string_view name() const noexcept = 0;
  // "application/json"
  virtual std::string_view content_type() const noexcept = 0;
  // Further content types that mean the same bytes, such as "application/x-protobuf"; the views live as long as the codec.
  virtual std::span<const std::string_view> content_type_aliases() const noexcept { return {}; }
  // Appends the encoded message to `out`; on failure `out` is as before.
  virtual Result<void> marshal(MessageRef message, Buffer& out) const = 0;
  // Replaces the content of `message`; on failure its content is unspecified but valid.
  virtual Result<void> unmarshal(std::string_view bytes, MessageRef message) const = 0;
};

}  // namespace micro::codec
