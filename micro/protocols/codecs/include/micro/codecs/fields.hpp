#pragma once

#include <string_view>

#include <micro/error/error.hpp>

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

// Single fields of a protobuf message, for protocols that spread one message over several places, such as the path and the query
// of a URL. JsonCodec reads and writes a single field as JSON.
//
// Thread safety: all functions may be called from any thread, on different messages.
namespace micro::codec {

// The field called `name`, as in the .proto ("user_name") or as in JSON ("userName").
// Errors: INVALID_ARGUMENT naming the message, the field and what it may have been meant to be.
Result<const google::protobuf::FieldDescriptor*> find_field(const google::protobuf::Descriptor& message, std::string_view name);

// Whether one value of the field can be written as plain text: scalars, enums, wrappers (Int32Value, ...), Timestamp, Duration
// and FieldMask. Of a repeated field this is about its elements; maps have no such form.
bool has_text_form(const google::protobuf::FieldDescriptor& field) noexcept;

// Reads `text` into `field` of `parent`: sets it, or adds one element to it. The text is what JSON has between its quotes:
// numbers in decimal, "true" and "false", enum values by name or number, bytes in base64 or base64url, times as in RFC 3339,
// durations in seconds ("1.5s"). The paths of a field mask may be in either spelling: "displayName,photo.url" or
// "display_name,photo.url".
// Errors: INVALID_ARGUMENT, "expected an integer, found \"abc\"", without the name of the field; the field is then unspecified.
// Throws std::invalid_argument for a field without text form.
Result<void> set_text(google::protobuf::Message& parent, const google::protobuf::FieldDescriptor& field, std::string_view text);

// INVALID_ARGUMENT naming the required fields (proto2) that are missing.
Result<void> check_required(const google::protobuf::Message& message);

}  // namespace micro::codec
