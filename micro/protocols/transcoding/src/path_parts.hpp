#pragma once

#include <algorithm>
#include <string_view>

namespace micro::transcoding {

// Takes the next segment off `path`, which begins with '/'.
inline std::string_view next_segment(std::string_view& path) noexcept {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, std::min(path.find('/'), path.size()));
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace micro::transcoding
