#pragma once

#include <span>
#include <string_view>

#include <micro/codec/codec.hpp>

namespace micro::codec {

// Protobuf's binary format: "proto", application/protobuf (also application/x-protobuf and application/proto).
// Messages of family kProtobuf are encoded straight into the buffer; family kBytes is copied as it is.
//
// Errors of unmarshal: INVALID_ARGUMENT with the message type and, where it can be told, the field and byte offset: truncated
// input, bad tags and wire types, invalid UTF-8 in a proto3 string, missing required fields, nesting deeper than 100.
// Errors of marshal: INTERNAL for missing required fields and for messages of 2 GiB and more. Invalid UTF-8 in a string is
// written as it is (the receiver refuses it).
class ProtoCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "proto"; }
  std::string_view content_type() const noexcept override { return "application/protobuf"; }
  std::span<const std::string_view> content_type_aliases() const noexcept override;
  Result<void> marshal(MessageRef message, Buffer& out) const override;
  Result<void> unmarshal(std::string_view bytes, MessageRef message) const override;
};

}  // namespace micro::codec
