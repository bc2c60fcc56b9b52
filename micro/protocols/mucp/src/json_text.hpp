#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace micro::mucp {

// Takes the first JSON value off `text`, blanks before it included, without looking at more than where it ends. nullopt when
// there is none or it has no end; what is inside is checked by whoever reads it.
std::optional<std::string_view> take_json(std::string_view& text) noexcept;

// The value of member `name` of an object, of several the last; empty when there is none. False when `object` is no object.
bool find_member(std::string_view object, std::string_view name, std::string_view& value) noexcept;

// The text of a JSON string; of another scalar its own text; empty for null, arrays, objects and broken strings.
std::string scalar_text(std::string_view json);

// Appends `text` as a JSON string in the spelling of Go's encoding/json: <, >, & and the line separators U+2028 and U+2029 are
// escaped, bytes that are not UTF-8 become \ufffd. So is DEL, which a header may not hold.
void append_go_string(std::string& out, std::string_view text);

}  // namespace micro::mucp
