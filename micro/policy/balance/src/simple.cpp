#include <micro/balance/strategy.hpp>
#include <micro/id/id.hpp>

namespace micro::balance {
namespace {

class RoundRobin final : public Strategy {
 public:
  explicit RoundRobin(std::size_t first) : next_(first) {}
  std::string_view name() const noexcept override { return "round_robin"; }
  Position pick(Group& group, const Query& query) override { return pick_among(group, group.active(), query); }
  Position pick_among(Group& group, std::span<const Position> among, const Query& query) override {
    Position chosen = turn(among);
    // Not more than once around: all may be new.
    for (std::size_t i = 1; i < among.size() && !group.accepts(chosen, query.now); ++i) chosen = turn(among);
    return chosen;
  }

 private:
  Position turn(std::span<const Position> among) {
    const std::size_t index = next_ < among.size() ? next_ : next_ % among.size();
    next_ = index + 1;
    return among[index];
  }
  std::size_t next_;
};

class Random final : public Strategy {
 public:
  std::string_view name() const noexcept override { return "random"; }
  Position pick(Group& group, const Query& query) override { return pick_among(group, group.active(), query); }
  Position pick_among(Group& group, std::span<const Position> among, const Query& query) override {
    Position chosen = among[group.dice().below(among.size())];
    for (int i = 0; i < kTries && !group.accepts(chosen, query.now); ++i) chosen = among[group.dice().below(among.size())];
    return chosen;
  }

 private:
  static constexpr int kTries = 16;
};

class LeastLoaded final : public Strategy {
 public:
  std::string_view name() const noexcept override { return "least_loaded"; }
  Position pick(Group& group, const Query& query) override {
    Position chosen = group.least_in_flight();
    for (std::size_t i = 1; i < group.active().size() && !group.accepts(chosen, query.now); ++i) {
      group.pass_over(chosen);
      chosen = group.least_in_flight();
    }
    return chosen;
  }
  Position pick_among(Group& group, std::span<const Position> among, const Query&) override {
    // From a random place on, so that the first ones are not preferred when all are idle.
    const std::size_t first = group.dice().below(among.size());
    Position best = among[first];
    for (std::size_t i = 1; i < among.size(); ++i) {
      const Position other = among[first + i < among.size() ? first + i : first + i - among.size()];
      if (group.load(other).in_flight < group.load(best).in_flight) best = other;
    }
    return best;
  }
};

class P2c final : public Strategy {
 public:
  explicit P2c(Duration forced_pick) : forced_pick_(forced_pick) {}
  std::string_view name() const noexcept override { return "p2c"; }
  Position pick(Group& group, const Query& query) override { return pick_among(group, group.active(), query); }
  Position pick_among(Group& group, std::span<const Position> among, const Query& query) override {
    group.learn_lag();
    if (among.size() == 1) return among.front();
    const std::size_t a = group.dice().below(among.size());
    std::size_t b = group.dice().below(among.size() - 1);
    if (b >= a) ++b;
    Position better = among[a];
    Position worse = among[b];
    if (group.worth(worse, query.now) > group.worth(better, query.now)) std::swap(better, worse);
    if (!group.accepts(better, query.now)) return worse;
    // picked moves with each choice, so that this happens once in forced_pick.
    if (forced_pick_ > Duration::zero() && query.now - group.load(worse).picked > forced_pick_) return worse;
    return better;
  }

 private:
  const Duration forced_pick_;
};

}  // namespace

std::unique_ptr<Strategy> round_robin() { return round_robin(static_cast<std::size_t>(fast_random())); }
std::unique_ptr<Strategy> round_robin(std::size_t first) { return std::make_unique<RoundRobin>(first); }
std::unique_ptr<Strategy> random() { return std::make_unique<Random>(); }
std::unique_ptr<Strategy> least_loaded() { return std::make_unique<LeastLoaded>(); }
std::unique_ptr<Strategy> p2c(StrategyOptions options) { return std::make_unique<P2c>(options.forced_pick); }

}  // namespace micro::balance
