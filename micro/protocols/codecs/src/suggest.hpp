#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace micro::codec {

// The end of a message about a name that is not among `known`: `; did you mean "name"?` when one is close, else
// `; known are "a", "b"`, cut after a few.
std::string suggest(std::string_view wrong, const std::vector<std::string_view>& known);

}  // namespace micro::codec
