#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace micro::client {

struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

// Looked up by views without making a string.
template <class T>
using ByName = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

}  // namespace micro::client
