#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/error/error.hpp>

namespace micro::http {

// A parsed Content-Type (RFC 9110, section 8.3.1): type "/" subtype *( ";" name "=" value ).
struct MediaType {
  std::string type;                                             // lower case
  std::string subtype;                                          // lower case, with its suffix: "problem+json"
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case, quotes and escapes removed

  // Fails with INVALID_ARGUMENT that names the text and what is wrong with it.
  static Result<MediaType> parse(std::string_view text);

  // The first value of the parameter `name` (lower case), or nullptr.
  const std::string* find(std::string_view name) const noexcept;
  // What follows the last '+' of the subtype ("json" of "problem+json"); empty when there is none.
  std::string_view suffix() const noexcept;
  std::string to_string() const;
};

// The part before the parameters, blanks trimmed, nothing checked: "application/json" of "application/json; charset=utf-8".
std::string_view media_type_essence(std::string_view text) noexcept;

// Whether `text` names `essence` ("application/json"), whatever its case and parameters. Allocates nothing: for the hot path.
bool is_media_type(std::string_view text, std::string_view essence) noexcept;

}  // namespace micro::http
