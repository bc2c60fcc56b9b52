#include <cmath>
#include <queue>
#include <vector>

#include "balance_fixture.hpp"

namespace micro::balance {
namespace {

// Calls arrive at random, each server answers after its own time, exponentially distributed around the mean. Time is made up, and
// everything follows from the seed.
class Simulation {
 public:
  Simulation(const std::string& strategy, std::size_t servers, Duration between)
      : strategy_(make_strategy(strategy).value()), group_({}, 7), latency_(servers, milliseconds(10)), between_(between) {
    assign(group_, equal(servers), now_);
  }

  void set_latency(std::size_t server, Duration latency) { latency_[server] = latency; }

  // The part of the calls of this time that each server got.
  std::vector<double> run(Duration time) {
    std::vector<double> shares(latency_.size());
    double calls = 0;
    for (const TimePoint end = now_ + time; now_ < end; ++calls) {
      now_ += around(between_);
      for (; !calls_.empty() && calls_.top().end <= now_; calls_.pop()) {
        const Call& call = calls_.top();
        group_.end(call.slot, call.begun, call.end, false);
      }
      const Group::Position chosen = strategy_->pick(group_, {.now = now_, .key = dice_.next()});
      calls_.push({now_ + around(latency_[chosen]), now_, group_.begin(chosen, now_)});
      ++shares[chosen];
    }
    for (double& share : shares) share /= calls;
    return shares;
  }

 private:
  struct Call {
    TimePoint end;
    TimePoint begun;
    Group::Slot slot;
    bool operator<(const Call& other) const { return end > other.end; }
  };
  Duration around(Duration mean) {
    return Duration(static_cast<Duration::rep>(-std::log(1 - dice_.fraction()) * static_cast<double>(mean.count())) + 1);
  }

  std::unique_ptr<Strategy> strategy_;
  Group group_;
  Dice dice_{42};
  TimePoint now_ = TimePoint() + seconds(1000);
  std::vector<Duration> latency_;
  const Duration between_;
  std::priority_queue<Call> calls_;
};

TEST(Simulation, P2cTurnsFromASlowServerAndBack) {
  Simulation simulation("p2c", 3, milliseconds(2));
  for (const double share : simulation.run(seconds(10))) EXPECT_NEAR(share, 0.333, 0.1);
  simulation.set_latency(1, milliseconds(210));
  simulation.run(seconds(5));
  EXPECT_LT(simulation.run(seconds(10))[1], 0.1);
  simulation.set_latency(1, milliseconds(10));
  simulation.run(seconds(10));
  const double back = simulation.run(seconds(10))[1];
  EXPECT_GT(back, 0.25);
  EXPECT_LT(back, 0.4);
}

TEST(Simulation, LeastLoadedTurnsFromASlowServerAndBack) {
  Simulation simulation("least_loaded", 3, milliseconds(2));
  simulation.run(seconds(10));
  simulation.set_latency(1, milliseconds(210));
  simulation.run(seconds(5));
  EXPECT_LT(simulation.run(seconds(10))[1], 0.1);
  simulation.set_latency(1, milliseconds(10));
  simulation.run(seconds(5));
  EXPECT_NEAR(simulation.run(seconds(10))[1], 0.333, 0.05);
}

TEST(Simulation, OthersDoNotLookAtLatency) {
  for (const char* name : {"round_robin", "random", "weighted_round_robin"}) {
    Simulation simulation(name, 4, milliseconds(2));
    simulation.set_latency(1, milliseconds(210));
    for (const double share : simulation.run(seconds(20))) EXPECT_NEAR(share, 0.25, 0.02) << name;
  }
}

TEST(Simulation, EveryStrategySpreadsOverLargeFleets) {
  for (const std::string& name : names()) {
    Simulation simulation(name, 1000, std::chrono::microseconds(100));
    double greatest = 0;
    for (const double share : simulation.run(seconds(10))) greatest = std::max(greatest, share);
    EXPECT_LT(greatest, 0.002) << name << ": nobody gets twice its share";
  }
}

}  // namespace
}  // namespace micro::balance
