#pragma once

#include <string>
#include <string_view>

namespace micro::tool {

// Text of others (names in a registry, messages of a service) for a terminal: control characters, which could steer it, become
// \xNN; U+0080 to U+009F are such characters too. Line breaks stay only where `lines` says so.
std::string printable(std::string_view text, bool lines = false);

}  // namespace micro::tool
