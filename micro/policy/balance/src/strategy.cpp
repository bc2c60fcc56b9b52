#include <micro/balance/strategy.hpp>

#include <array>
#include <string>

#include <micro/id/id.hpp>

namespace micro::balance {
namespace {

class RoundRobin final : public Strategy {
 public:
  explicit RoundRobin(std::size_t first) : next_(first) {}
  std::string_view name() const noexcept override { return "round_robin"; }
  std::size_t pick(std::size_t count, TimePoint) override {
    const std::size_t index = next_ < count ? next_ : next_ % count;
    next_ = index + 1;
    return index;
  }

 private:
  std::size_t next_;
};

// SplitMix64 (Steele, Lea, Flood 2014): one addition and three mixing steps, equidistributed over 64 bits.
class Random final : public Strategy {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::string_view name() const noexcept override { return "random"; }
  std::size_t pick(std::size_t count, TimePoint) override {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    // The high half of the product is uniform below `count` without a division.
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::size_t>((static_cast<Wide>(z) * count) >> 64);
  }

 private:
  std::uint64_t state_;
};

struct Known {
  std::string_view name;
  std::unique_ptr<Strategy> (*make)();
};
constexpr std::array<Known, 2> kStrategies{{{"round_robin", &round_robin}, {"random", &random}}};

}  // namespace

std::unique_ptr<Strategy> round_robin() { return round_robin(static_cast<std::size_t>(fast_random())); }
std::unique_ptr<Strategy> round_robin(std::size_t first) { return std::make_unique<RoundRobin>(first); }
std::unique_ptr<Strategy> random() { return random(fast_random()); }
std::unique_ptr<Strategy> random(std::uint64_t seed) { return std::make_unique<Random>(seed); }

Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name) {
  std::string names;
  for (const Known& known : kStrategies) {
    if (known.name == name) return known.make();
    names.append(names.empty() ? "" : ", ").append(known.name);
  }
  return fail(invalid_argument("no balancing strategy \"" + std::string(name) + "\": known are " + names));
}

}  // namespace micro::balance
