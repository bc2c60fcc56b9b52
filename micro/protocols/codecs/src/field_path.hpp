#pragma once

// The paths of google.protobuf.FieldMask: names of fields, joined by dots. A message holds them as the .proto spells names,
// "user_name.first_name", JSON as JSON does, "userName.firstName" (field_mask.proto, "JSON Encoding of Field Masks").

#include <optional>
#include <string>
#include <string_view>

namespace micro::codec {

// Letters, digits and underscores, none empty, none that begins with a digit.
bool is_field_path(std::string_view path) noexcept;

// nullopt: no path, or not in JSON's spelling.
std::optional<std::string> field_path_from_json(std::string_view path);

// nullopt: no path, or one that would be another after it was read again ("fooBar", "a__b", "line_1").
std::optional<std::string> field_path_to_json(std::string_view path);

}  // namespace micro::codec
