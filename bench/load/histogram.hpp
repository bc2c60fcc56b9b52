#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace bench {

// Counts of durations in nanoseconds, 32 buckets to each power of two: a percentile is at most 3 % too high.
class Histogram {
 public:
  void add(std::uint64_t ns) {
    ++counts_[bucket(ns)];
    ++total_;
  }

  // The duration in microseconds that `share` (0..1) of all do not exceed; 0 when there are none.
  double percentile_us(double share) const {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > rank || (seen == total_ && total_ > 0)) return static_cast<double>(upper_bound(i)) / 1000.0;
    }
    return 0;
  }

 private:
  static constexpr unsigned kBits = 5;

  static std::size_t bucket(std::uint64_t ns) {
    const unsigned shift = ns >> kBits == 0 ? 0 : static_cast<unsigned>(std::bit_width(ns)) - kBits - 1;
    return (std::size_t{shift} << kBits) + (ns >> shift);
  }

  static std::uint64_t upper_bound(std::size_t bucket) {
    if (bucket < 2u << kBits) return bucket;
    const std::size_t shift = (bucket >> kBits) - 1;
    return (((bucket & ((1u << kBits) - 1)) + (1u << kBits) + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (64 - kBits + 1) << kBits> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace bench
