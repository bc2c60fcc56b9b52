#pragma once

#include <string_view>

#include <micro/codec/codec.hpp>

namespace micro::codec {

// How JsonCodec writes and reads. The defaults are those of the proto3 JSON mapping
// (https://protobuf.dev/programming-guides/json/).
struct JsonOptions {
  // Writes fields that have no presence also when they are zero, empty or []. Unset messages, oneofs and optional fields stay
  // absent. Servers whose clients expect every key set this.
  bool emit_zero_values = false;
  // 64-bit integers as strings, since JavaScript numbers lose digits beyond 2^53. Both forms are always read.
  bool int64_as_string = true;
  // Enum values as numbers instead of names. Both forms are always read.
  bool enum_as_number = false;
  // Field names as in the .proto ("user_name") instead of lowerCamelCase ("userName"). Both forms are always read.
  bool proto_field_names = false;
  // Skips fields the message does not have, and enum names the enum does not have, instead of refusing the input. Set it where
  // clients may be newer than the server.
  bool ignore_unknown_fields = false;
  // Objects and arrays inside each other, both ways; 1 to 1000, values outside are clamped. Bounds the stack, so leave it.
  int max_depth = 100;
  // Line breaks and two spaces a level, for people.
  bool pretty = false;
};

// JSON for protobuf messages: "json", application/json. The whole proto3 JSON mapping, the well-known types included; Any finds
// its types in the descriptor pool of the message. Map entries are written sorted by key, so equal messages give equal text.
// Family kBytes is copied as it is: the bytes are JSON already, and are not checked.
//
// Reading is strict (RFC 8259): valid UTF-8 only, no trailing commas, nothing after the value, no field twice, no two fields of
// one oneof. Null leaves a field unset. Base64 and base64url are both read, padded or not.
// Errors of unmarshal: INVALID_ARGUMENT, reason "INVALID_JSON", as in
//   JSON for greeter.HelloRequest: line 1, column 10: field "name": expected a string, found number 7
// with metadata "field" = "user.tags[2].name" when a field is to blame. Lines and columns count from 1, columns in characters.
// Errors of marshal: INTERNAL naming the field: invalid UTF-8, a Timestamp, Duration or FieldMask that has no JSON form, an Any
// of unknown type, a set extension, a missing required field, nesting too deep.
class JsonCodec final : public Codec {
 public:
  explicit JsonCodec(const JsonOptions& options = {});

  const JsonOptions& options() const noexcept { return options_; }

  std::string_view name() const noexcept override { return "json"; }
  std::string_view content_type() const noexcept override { return "application/json"; }
  Result<void> marshal(MessageRef message, Buffer& out) const override;
  Result<void> unmarshal(std::string_view bytes, MessageRef message) const override;

  // For protocols that find a message in several places (<micro/codecs/fields.hpp>); of family kProtobuf only, others are
  // UNIMPLEMENTED. As unmarshal(), but required fields may be missing: check_required() looks for them when all is there.
  Result<void> unmarshal_partial(std::string_view bytes, MessageRef message) const;
  // The JSON of one field, named as in the .proto or in JSON: any value its kind has, such as [1,2] for a repeated one. The
  // field must be unset, the others stay as they are; required fields may be missing.
  // Errors: as unmarshal(); INVALID_ARGUMENT also when there is no such field.
  Result<void> unmarshal_field(std::string_view bytes, MessageRef message, std::string_view field) const;
  // Appends the value of one field; null for a message that is not set. Errors: as marshal(); INTERNAL also when there is no
  // such field.
  Result<void> marshal_field(MessageRef message, std::string_view field, Buffer& out) const;

 private:
  JsonOptions options_;
};

}  // namespace micro::codec
