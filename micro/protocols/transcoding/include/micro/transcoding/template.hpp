#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <micro/error/error.hpp>

namespace micro::transcoding {

// A path template of google.api.http, taken apart:
//
//   Template  = "/" [ Segment { "/" Segment } ] [ ":" Verb ]
//   Segment   = "*" | "**" | literal | "{" Field { "." Field } [ "=" Segment { "/" Segment } ] "}"
//
// "*" stands for one segment that is not empty, "**" for any number of segments, none included; it is the last segment. A
// variable without "=" is "{field=*}". The last ":" of the last segment begins the verb; any other is part of a literal. Literals
// may be percent-encoded (RFC 3986, section 2.1) and match whatever encoding a request uses for the same text.
struct Template {
  enum class Kind : std::uint8_t { kLiteral, kAny, kRest };

  struct Segment {
    Kind kind = Kind::kLiteral;
    std::string literal;  // decoded
    friend bool operator==(const Segment&, const Segment&) = default;
  };

  struct Variable {
    std::string field;      // "book.name"
    std::size_t first = 0;  // its segments in `segments`
    std::size_t count = 1;
    // Its value may have slashes of its own, so "%2F" in it is not decoded.
    bool many = false;
    friend bool operator==(const Variable&, const Variable&) = default;
  };

  std::string text;
  std::vector<Segment> segments;  // with those of the variables
  std::vector<Variable> variables;
  std::string verb;  // decoded, without ':'

  // Errors: INVALID_ARGUMENT naming the template, the character that is wrong (counted from 1) and why.
  static Result<Template> parse(std::string_view text);
};

}  // namespace micro::transcoding
