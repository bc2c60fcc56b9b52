#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include <micro/balance/hash.hpp>
#include <micro/balance/strategy.hpp>

namespace micro::balance {
namespace {

// Of a server and something else.
constexpr std::uint64_t together(std::uint64_t a, std::uint64_t b) noexcept {
  return Dice::mix(a ^ (b * 0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15));
}

class ConsistentHash final : public Strategy {
 public:
  explicit ConsistentHash(std::size_t points) : points_(std::max<std::size_t>(1, points)) {}
  std::string_view name() const noexcept override { return "consistent_hash"; }

  Position pick(Group& group, const Query& query) override {
    if (generation_ != group.generation()) [[unlikely]]
      prepare(group);
    return ring_[place(query.key ? *query.key : group.dice().next())].position;
  }

  // The first on the ring after the key's place that is among them: the next owner, if the first one is not.
  Position pick_among(Group& group, std::span<const Position> among, const Query& query) override {
    if (generation_ != group.generation()) prepare(group);
    const std::uint64_t key = query.key ? *query.key : group.dice().next();
    if (allowed_.size() < group.size()) allowed_.resize(group.size());
    ++look_;
    for (const Position position : among) allowed_[position] = look_;
    std::size_t at = place(key);
    for (std::size_t i = 0; i < ring_.size(); ++i) {
      if (allowed_[ring_[at].position] == look_) return ring_[at].position;
      at = at + 1 < ring_.size() ? at + 1 : 0;
    }
    // None of them is on the ring.
    return *std::ranges::max_element(among, {}, [&](Position position) { return together(group.hash(position), key); });
  }

 private:
  struct Point {
    std::uint64_t hash;
    Position position;
  };

  // The first point at or after the key's hash.
  std::size_t place(std::uint64_t key) const noexcept {
    std::size_t at = starts_[key >> shift_];
    while (at < ring_.size() && ring_[at].hash < key) ++at;
    return at < ring_.size() ? at : 0;
  }

  void prepare(const Group& group) {
    const auto active = group.active();
    // Few enough to be made between two calls.
    std::size_t each = points_;
    for (std::size_t most = 1024; most < active.size() && each > 8; most *= 2) each /= 2;
    double sum = 0;
    for (const Position position : active) sum += group.load(position).weight;
    ring_.clear();
    for (const Position position : active) {
      const double share = sum == 0 ? 1 : group.load(position).weight * static_cast<double>(active.size()) / sum;
      const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(static_cast<double>(each) * share)));
      for (std::size_t i = 0; i < count; ++i) ring_.push_back({together(group.hash(position), i), position});
    }
    sort();
    generation_ = group.generation();
  }

  // By the leading bits first: hashes are spread evenly, so what is left to be sorted is short, and place() begins there, too.
  void sort() {
    const int bits = std::max(1, static_cast<int>(std::bit_width(ring_.size())));
    shift_ = 64 - bits;
    starts_.assign((std::size_t{1} << bits) + 1, 0);
    for (const Point& point : ring_) ++starts_[(point.hash >> shift_) + 1];
    for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    std::vector<Point> sorted(ring_.size());
    std::vector<std::uint32_t> next = starts_;
    for (const Point& point : ring_) sorted[next[point.hash >> shift_]++] = point;
    for (std::size_t i = 0; i + 1 < starts_.size(); ++i) {
      std::sort(sorted.begin() + starts_[i], sorted.begin() + starts_[i + 1],
                [](const Point& a, const Point& b) { return a.hash < b.hash; });
    }
    ring_ = std::move(sorted);
  }

  const std::size_t points_;
  std::uint64_t generation_ = 0;
  int shift_ = 63;
  std::vector<Point> ring_;
  std::vector<std::uint32_t> starts_;  // by the leading bits: where on the ring they begin
  std::vector<std::uint64_t> allowed_;
  std::uint64_t look_ = 0;
};

class Rendezvous final : public Strategy {
 public:
  std::string_view name() const noexcept override { return "rendezvous"; }

  Position pick(Group& group, const Query& query) override {
    if (generation_ != group.generation()) [[unlikely]]
      prepare(group);
    const std::uint64_t key = (query.key ? *query.key : group.dice().next()) >> kShift;
    Position& owner = owners_[key];
    if (owner == kUnknown) [[unlikely]]
      owner = best(group, group.active(), key);
    return owner;
  }
  Position pick_among(Group& group, std::span<const Position> among, const Query& query) override {
    return best(group, among, (query.key ? *query.key : group.dice().next()) >> kShift);
  }

 private:
  static constexpr int kShift = 64 - 16;
  static constexpr Position kUnknown = ~Position{};

  void prepare(const Group& group) {
    owners_.assign(std::size_t{1} << (64 - kShift), kUnknown);
    generation_ = group.generation();
  }

  static Position best(const Group& group, std::span<const Position> among, std::uint64_t key) {
    const std::uint32_t weight = group.load(among.front()).weight;
    const bool equal = std::ranges::all_of(among, [&](Position p) { return group.load(p).weight == weight; });
    if (equal) return *std::ranges::max_element(among, {}, [&](Position p) { return together(group.hash(p), key); });
    return *std::ranges::max_element(among, {}, [&](Position p) {
      // In (0, 1): its logarithm is finite and not zero.
      const double fraction = (static_cast<double>(together(group.hash(p), key) >> 11) + 0.5) * 0x1p-53;
      return -static_cast<double>(group.load(p).weight) / std::log(fraction);
    });
  }

  std::uint64_t generation_ = 0;
  std::vector<Position> owners_;  // by the leading bits of the key
};

}  // namespace

std::unique_ptr<Strategy> consistent_hash(StrategyOptions options) {
  return std::make_unique<ConsistentHash>(options.ring_points);
}
std::unique_ptr<Strategy> rendezvous() { return std::make_unique<Rendezvous>(); }

}  // namespace micro::balance
