#pragma once

#include <cstdint>
#include <string_view>

#include <micro/bytes/buffer.hpp>

namespace micro::http2 {

// The HPACK static table (RFC 7541 appendix A), indexes 1 to 61.
inline constexpr std::size_t kStaticEntries = 62;  // with an unused one at 0
struct StaticEntry {
  std::string_view name;
  std::string_view value;
};
// `index` must be less than kStaticEntries.
const StaticEntry& static_entry(std::size_t index) noexcept;

struct StaticMatch {
  std::uint8_t index = 0;   // 0: the name is not in the table
  bool with_value = false;  // name and value are
};
StaticMatch find_static(std::string_view name, std::string_view value) noexcept;

// Appends an integer in HPACK's representation (RFC 7541 section 5.1): `bits` low bits of a first byte that starts as `first`.
void encode_integer(Buffer& out, std::uint8_t first, unsigned bits, std::uint64_t value);

}  // namespace micro::http2
