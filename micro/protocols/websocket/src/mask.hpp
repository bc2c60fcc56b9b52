#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace micro::websocket {

using MaskKey = std::array<char, 4>;

// Writes `in` combined with the key to `out` (RFC 6455, section 5.3), which masks and unmasks; both may be the same memory.
// `offset`: how many bytes of the same frame came before.
void apply_mask(MaskKey key, std::size_t offset, std::string_view in, char* out) noexcept;

// A key that nobody can predict.
MaskKey random_mask();

// 16 random bytes in base64: a Sec-WebSocket-Key.
std::array<char, 24> random_key();

}  // namespace micro::websocket
