#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace micro::grpc {

// RFC 4648, section 4.
inline constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::uint8_t kForeign = 0xFF;

// The value of each byte; kForeign for those outside the alphabet.
inline constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kForeign);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

}  // namespace micro::grpc
