#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace micro::generator {

// The lines of a comment as protoc reports it, ready to stand in C++ and in a description: without the blank after the slashes,
// trailing blanks, carriage returns, control characters, and empty lines at either end.
std::vector<std::string> comment_lines(std::string_view raw);

// One line of a C++ comment that means the same to every compiler: nothing at its end can continue it on the next line, and no
// character in it changes the direction of the text.
std::string comment_line(std::string_view line);

// `text` as a C++ string literal in quotes: everything outside printable ASCII in octal, no trigraph.
std::string string_literal(std::string_view text);

}  // namespace micro::generator
