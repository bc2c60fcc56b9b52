#pragma once

#include <string>
#include <string_view>

namespace micro::tool {

// Text of others (names in a registry, replies and errors of a service) for a terminal. Characters that could steer it, or show
// the text in another order than it has, become \uXXXX: control characters, U+0080 to U+009F among them, and those that direct
// bidirectional text. JSON stays the JSON it was. Bytes that are no UTF-8 become \xNN. Line breaks stay only where `lines` says
// so.
std::string printable(std::string_view text, bool lines = false);

}  // namespace micro::tool
