#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <micro/balance/strategy.hpp>

namespace micro::balance {
namespace {

// nginx adds its weight to the current value of every server, takes the one with the greatest, the first of equal ones, and
// subtracts the sum of all weights from it. That is O(n). Servers of the same weight keep their distances, so it is enough to
// look at the greatest of each weight: every class is a queue in the order of the values.
class WeightedRoundRobin final : public Strategy {
 public:
  std::string_view name() const noexcept override { return "weighted_round_robin"; }

  Position pick(Group& group, const Query& query) override {
    if (generation_ != group.generation() || query.now >= refresh_at_) [[unlikely]]
      prepare(group, query.now);
    std::size_t best = 0;
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      Head& head = heads_[i];
      head.value += head.weight;
      const Head& leader = heads_[best];
      if (head.value > leader.value || (head.value == leader.value && head.position < leader.position)) best = i;
    }
    return take(best);
  }

  // nginx's own way, on the values that both share.
  Position pick_among(Group& group, std::span<const Position> among, const Query& query) override {
    save();
    generation_ = 0;
    fit(group);
    std::int64_t total = 0;
    Position best = among.front();
    for (const Position position : among) {
      const std::int64_t weight = weight_of(group, position, query.now);
      total += weight;
      current(group, position) += weight;
      if (current(group, position) > current(group, best)) best = position;
    }
    current(group, best) -= total;
    return best;
  }

 private:
  static constexpr std::size_t kMostClasses = 64;
  // So that a slow start has steps.
  static constexpr std::int64_t kScale = 64;

  struct Item {
    std::int64_t value;  // in the class's own count: less base
    Position position;
    Group::Slot slot;
  };
  // A ring in descending order of value.
  struct Class {
    std::vector<Item> items;
    std::size_t first = 0;
    std::int64_t weight = 0;
    std::int64_t base = 0;
  };
  struct Head {
    std::int64_t value;
    std::int64_t weight;
    Position position;
  };
  struct Current {
    std::int64_t value = 0;
    std::uint64_t life = 0;
  };

  static std::int64_t weight_of(const Group& group, Position position, TimePoint now) {
    const double weight = group.load(position).weight;
    // A group whose servers are all without weight uses them evenly.
    if (weight == 0) return kScale;
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(weight * group.warmth(position, now) * kScale));
  }

  std::int64_t& current(const Group& group, Position position) {
    Current& known = currents_[group.slot(position)];
    if (known.life != group.life(group.slot(position))) known = {.value = 0, .life = group.life(group.slot(position))};
    return known.value;
  }
  void fit(const Group& group) {
    if (currents_.size() < group.slots()) currents_.resize(group.slots());
  }

  // What the classes know goes back to the servers.
  void save() {
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      const std::int64_t base = heads_[i].value - classes_[i].items[classes_[i].first].value;
      for (const Item& item : classes_[i].items) currents_[item.slot].value = item.value + base;
    }
    classes_.clear();
    heads_.clear();
  }

  void prepare(Group& group, TimePoint now) {
    save();
    fit(group);
    struct Entry {
      std::int64_t weight;
      Position position;
    };
    std::vector<Entry> entries;
    entries.reserve(group.active().size());
    for (const Position position : group.active()) entries.push_back({weight_of(group, position, now), position});
    std::ranges::sort(entries, {}, &Entry::weight);
    std::size_t different = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) different += i == 0 || entries[i].weight != entries[i - 1].weight ? 1 : 0;
    // Steps that grow with the weight, so that the relative error is the same for all.
    const double least = static_cast<double>(entries.front().weight);
    const double step = std::log(static_cast<double>(entries.back().weight) / least + 1e-9) / kMostClasses;
    const auto class_of = [&](std::int64_t weight) {
      return different <= kMostClasses
                 ? static_cast<double>(weight)
                 : std::min<double>(kMostClasses - 1, std::floor(std::log(static_cast<double>(weight) / least) / step));
    };
    total_ = 0;
    for (std::size_t i = 0; i < entries.size();) {
      std::size_t end = i;
      std::int64_t sum = 0;
      while (end < entries.size() && class_of(entries[end].weight) == class_of(entries[i].weight)) sum += entries[end++].weight;
      Class made;
      made.weight = sum / static_cast<std::int64_t>(end - i);
      for (; i < end; ++i) {
        const Position position = entries[i].position;
        made.items.push_back({current(group, position), position, group.slot(position)});
      }
      std::ranges::sort(made.items, [](const Item& a, const Item& b) {
        return a.value != b.value ? a.value > b.value : a.position < b.position;
      });
      total_ += made.weight * static_cast<std::int64_t>(made.items.size());
      heads_.push_back({made.items.front().value, made.weight, made.items.front().position});
      classes_.push_back(std::move(made));
    }
    generation_ = group.generation();
    refresh_at_ = group.warming(now) ? now + kWarmStep : TimePoint::max();
  }

  Position take(std::size_t index) {
    Class& of = classes_[index];
    Head& head = heads_[index];
    const std::size_t count = of.items.size();
    const std::int64_t base = head.value - of.items[of.first].value;
    Item item = of.items[of.first];
    item.value -= total_;
    // To its place from behind; nearly always that is the end.
    std::size_t place = of.first;
    of.first = of.first + 1 < count ? of.first + 1 : 0;
    for (std::size_t i = 1; i < count; ++i) {
      const std::size_t before = place != 0 ? place - 1 : count - 1;
      const Item& other = of.items[before];
      if (other.value > item.value || (other.value == item.value && other.position < item.position)) break;
      of.items[place] = other;
      place = before;
    }
    of.items[place] = item;
    const Item& next = of.items[of.first];
    head.value = base + next.value;
    head.position = next.position;
    return item.position;
  }

  static constexpr Duration kWarmStep = std::chrono::milliseconds(100);
  std::uint64_t generation_ = 0;
  TimePoint refresh_at_ = TimePoint::max();
  std::int64_t total_ = 0;
  std::vector<Class> classes_;
  std::vector<Head> heads_;
  std::vector<Current> currents_;  // by slot
};

}  // namespace

std::unique_ptr<Strategy> weighted_round_robin() { return std::make_unique<WeightedRoundRobin>(); }

}  // namespace micro::balance
