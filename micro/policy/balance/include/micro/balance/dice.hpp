#pragma once

#include <cstddef>
#include <cstdint>

namespace micro::balance {

// Random numbers that follow from a seed: SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators",
// 2014), one addition and three mixing steps, equidistributed over 64 bits. Not for secrets.
class Dice {
 public:
  explicit constexpr Dice(std::uint64_t seed) noexcept : state_(seed) {}

  constexpr std::uint64_t next() noexcept { return mix(state_ += 0x9e3779b97f4a7c15); }
  // Uniform below `count`, which is at least 1.
  constexpr std::size_t below(std::size_t count) noexcept {
    // The high half of the product is uniform below `count` without a division.
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::size_t>((static_cast<Wide>(next()) * count) >> 64);
  }
  // Uniform in [0, 1).
  constexpr double fraction() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

  // A bijection of 64 bits in which every bit of the input changes about half of the output.
  static constexpr std::uint64_t mix(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace micro::balance
