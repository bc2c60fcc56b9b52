#include "stateless_block.hpp"

namespace micro::http2 {

BlockState classify_block(std::string_view block) noexcept {
  BlockState state = BlockState::kStateless;
  for (std::size_t at = 0; at < block.size();) {
    const auto first = static_cast<std::uint8_t>(block[at]);
    const bool indexed = first >= 0x80;
    if (!indexed && first >= 0x20) return BlockState::kChanges;
    std::size_t number = 0;
    if (!read_integer(block, at, indexed ? 7 : 4, number) || (indexed && number == 0)) return BlockState::kChanges;
    if (number >= kStaticEntries) state = BlockState::kReads;
    if (indexed) continue;
    for (int strings = number == 0 ? 2 : 1; strings != 0; --strings) {
      if (at >= block.size()) return BlockState::kChanges;
      const bool huffman = static_cast<std::uint8_t>(block[at]) >= 0x80;
      if (huffman) state = BlockState::kReads;
      if (!read_integer(block, at, 7, number) || number > block.size() - at) return BlockState::kChanges;
      at += number;
    }
  }
  return state;
}

}  // namespace micro::http2
