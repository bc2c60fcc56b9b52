#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace soak {

// "17.0;17.1;17.2;...", cut at `size`: the text of request 17.
inline std::string text_of(std::uint64_t id, std::size_t size) {
  std::string text;
  text.reserve(size + 32);
  const std::string name = std::to_string(id) + ".";
  for (std::size_t i = 0; text.size() < size; ++i) text.append(name).append(std::to_string(i)).append(1, ';');
  text.resize(size);
  return text;
}

inline bool is_text_of(std::uint64_t id, std::string_view text) { return text == text_of(id, text.size()); }

}  // namespace soak
