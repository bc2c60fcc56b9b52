#pragma once

#include <string_view>

#include <micro/metadata/metadata.hpp>

namespace micro::http1 {

// Fields that must not come after the body: they frame, route or authenticate it (RFC 9110, section 6.5.1).
inline bool forbidden_in_trailers(std::string_view name) noexcept {
  for (const std::string_view field : {"Content-Length", "Transfer-Encoding", "Host", "Connection", "Upgrade", "Content-Type",
                                       "Content-Encoding", "Authorization", "Expect", "TE", "Trailer"}) {
    if (equals_ignore_case(name, field)) return true;
  }
  return false;
}

}  // namespace micro::http1
