#pragma once

#include <string_view>

#include "static_table.hpp"

namespace micro::http2 {

// How much an HPACK block has to do with the state of its connection.
enum class BlockState : std::uint8_t {
  kChanges,    // adds to the dynamic table, resizes it, or is malformed
  kReads,      // refers to the tables without changing them: an equal block that follows directly means the same
  kStateless,  // the static table and plain literals only: means the same on any connection
};

// One pass over the representations (RFC 7541 section 6), without looking at the strings.
BlockState classify_block(std::string_view block) noexcept;

// Decodes a block that classify_block() calls stateless: what encode_static() makes, and no more than that. Everything else is
// left to nghttp2; this short cut exists because nghttp2 allocates memory for each literal.
// Calls sink(name, value, sensitive) for each field, with views into `block` and the static table, until it returns false.
template <class Sink>
bool decode_stateless(std::string_view block, Sink&& sink);

// Reads an integer whose first byte, with `bits` low bits of it, is at `at`; moves `at` behind it. False when it is cut off or
// larger than anything a sensible block needs.
inline bool read_integer(std::string_view block, std::size_t& at, unsigned bits, std::size_t& value) noexcept {
  const std::size_t limit = (std::size_t{1} << bits) - 1;
  value = static_cast<std::uint8_t>(block[at++]) & limit;
  if (value < limit) return true;
  for (unsigned shift = 0; shift < 21 && at < block.size(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(block[at++]);
    value += static_cast<std::size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

template <class Sink>
bool decode_stateless(std::string_view block, Sink&& sink) {
  const auto read_string = [&](std::size_t& at) {
    std::size_t size = 0;
    read_integer(block, at, 7, size);
    at += size;
    return block.substr(at - size, size);
  };
  for (std::size_t at = 0; at < block.size();) {
    const auto first = static_cast<std::uint8_t>(block[at]);
    std::size_t index = 0;
    read_integer(block, at, first >= 0x80 ? 7 : 4, index);
    const StaticEntry& entry = static_entry(index);
    if (first >= 0x80) {
      if (!sink(entry.name, entry.value, false)) return false;
      continue;
    }
    const std::string_view name = index != 0 ? entry.name : read_string(at);
    if (!sink(name, read_string(at), first >= 0x10)) return false;
  }
  return true;
}

}  // namespace micro::http2
