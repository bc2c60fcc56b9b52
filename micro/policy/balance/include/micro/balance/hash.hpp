#pragma once

#include <cstdint>
#include <string_view>

#include <micro/balance/dice.hpp>

namespace micro::balance {

// The hash of a key, for the strategies that give every key its server. The same in every process and on every machine, so that
// all clients agree: FNV-1a, 64 bits (draft-eastlake-fnv), mixed once more because FNV leaves the high bits of short keys alike.
constexpr std::uint64_t hash_key(std::string_view key) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return Dice::mix(hash);
}

}  // namespace micro::balance
