#pragma once

#include <string_view>

namespace micro::grpc {

// Without the optional white space (OWS of RFC 9110, section 5.6.3) at both ends.
inline std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace micro::grpc
