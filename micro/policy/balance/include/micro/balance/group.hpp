#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <micro/balance/dice.hpp>
#include <micro/duration/chrono.hpp>

namespace micro::balance {

// One server as balancing sees it. The views need to live during Group::assign() alone.
struct Server {
  std::string_view id;
  // Its share in comparison with the others, for the strategies that know weights. Zero: nothing, as long as there are others.
  std::uint32_t weight = 100;
  // Those with the smallest number are used; the others stand by. See GroupOptions::priority_min_healthy.
  std::uint32_t priority = 0;
  std::string_view zone;
};

// How the load of a server is estimated from the calls made to it. The formula is that of gmicro and kratos:
//
//   lag     = lag * w + latency * (1 - w)         w = exp(-time since the last answer / tau)
//   success = success * w + (1000 or 0) * (1 - w)
//   load    = f(max(lag, mean age of the calls under way) + gap) * (calls under way + 1)      f: the square root, or nothing
//
// The defaults are those of kratos 2.9, but for a server that has not answered yet: gmicro takes it for one of 10 s, kratos for
// a number that equals as much once roots are drawn, so that nobody calls it. Here it counts as a fast one: the calls under way,
// which count too, keep it from being flooded before its first answer is there.
struct LoadOptions {
  Duration tau = std::chrono::milliseconds(600);
  // The lag of a server without an answer so far.
  Duration cold_lag = std::chrono::microseconds(100);
  // Added to every lag, so that the way to another zone is not taken for slowness.
  Duration gap = std::chrono::milliseconds(5);
  bool root = true;

  // The numbers of gmicro: cold_lag 10 s, no gap, no root.
  static LoadOptions gmicro() noexcept {
    return {.tau = std::chrono::milliseconds(600), .cold_lag = std::chrono::seconds(10), .gap = {}, .root = false};
  }
};

// Which servers of a list are used.
struct GroupOptions {
  // Our own zone: servers there are preferred. Empty: no preference. When less than zone_min_healthy of them can be picked, all
  // zones are used.
  std::string zone;
  double zone_min_healthy = 0.5;
  // As long as less than this part of the servers of one priority can be picked, those of the next are used as well.
  double priority_min_healthy = 0.7;
  // How many servers of each priority (and of our zone, if there are as many) this client uses; 0: all. Which ones follows from
  // `subset_key`, so that it ought to differ from client to client; one that leaves or joins changes one of them at most
  // (rendezvous hashing; Thaler, Ravishankar 1998).
  std::size_t subset_size = 0;
  std::string subset_key;
  // A server that joins, or comes back, gets less than its share for this long: the part slow_start_min at first, growing evenly.
  // Those of the first list are not new. Zero: off. Hashing strategies do not know it: a key has one owner.
  Duration slow_start{};
  double slow_start_min = 0.1;
  LoadOptions load;
};

// What calls have shown of one server.
struct Load {
  double lag = 0;         // nanoseconds; 0: no answer so far
  double success = 1000;  // 1000: all calls
  TimePoint stamp{};      // of the last answer
  TimePoint picked{};     // when it was chosen last
  double begun_sum = 0;   // of the calls under way: when they began, in nanoseconds since the group was made
  std::uint32_t in_flight = 0;
  std::uint32_t weight = 100;
};

class InFlightOrder;

// The servers of one service, as one client knows them: who may be picked now, and what is known of their load. Strategies choose
// from it. What is known survives changes of the list.
//
// A server has a position in the present list and a slot that it keeps as long as it is listed or calls to it are under way, so
// that no call needs a lookup by id.
// Thread safety: one object, one thread. Pure: time is passed in.
class Group {
 public:
  using Position = std::uint32_t;
  using Slot = std::uint32_t;

  // `seed`: of its random numbers.
  explicit Group(GroupOptions options = {}, std::uint64_t seed = 0);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  // Replaces the list; ids are unique. Costs a lookup for each server.
  void assign(std::span<const Server> servers, TimePoint now);
  std::size_t size() const noexcept { return slots_.size(); }

  // Positions of those who may be picked: of the right priority, zone and subset, not ejected. Empty when all are ejected.
  std::span<const Position> active() const noexcept { return active_; }
  bool is_active(Position position) const noexcept { return states_[slots_[position]].active; }
  // Another number whenever active() or a weight has changed.
  std::uint64_t generation() const noexcept { return generation_; }

  Slot slot(Position position) const noexcept { return slots_[position]; }
  // How many slots there are; some may be unused.
  std::size_t slots() const noexcept { return states_.size(); }
  // Tells apart the servers that have the same slot one after the other.
  std::uint64_t life(Slot slot) const noexcept { return states_[slot].life; }
  const Load& load(Position position) const noexcept { return states_[slots_[position]].load; }
  // Stable across processes: follows from the id.
  std::uint64_t hash(Position position) const noexcept { return states_[slots_[position]].hash; }

  // A call to the server begins; end() or abandon() must follow exactly once.
  Slot begin(Position position, TimePoint now);
  // It was answered, or not: `failed` says whether the server is to blame.
  void end(Slot slot, TimePoint begun, TimePoint now, bool failed);
  // Nobody knows how it would have gone.
  void abandon(Slot slot, TimePoint begun);
  // Takes a server out of active(), and brings it back as a new one. Nothing happens when it is there already.
  void eject(Slot slot);
  void restore(Slot slot, TimePoint now);
  bool ejected(Position position) const noexcept { return states_[slots_[position]].ejected; }
  // Forgets what calls have shown, except how many are under way.
  void forget();

  // The load in the sense of LoadOptions; the smaller the better.
  double expected_load(Position position, TimePoint now) const;
  // success * 1e9 * weight / 100 / load: gmicro's measure of a server; the greater the better.
  double worth(Position position, TimePoint now) const;
  // Whether a slow start is going on, and the part of its share that a server gets: 1 but for new ones.
  bool warming(TimePoint now) const noexcept { return now < warm_at_; }
  double warmth(Position position, TimePoint now) const noexcept;
  // Whether to take a server that was chosen: false now and then for those that are new.
  bool accepts(Position position, TimePoint now) { return !warming(now) || dice_.fraction() < warmth(position, now); }

  // The active server with the fewest calls under way, of equal ones the one that was there first: O(1).
  Position least_in_flight();
  // Others with as few calls go before it now.
  void pass_over(Position position);
  // From now on end() keeps the averages; before, nobody has needed them.
  void learn_lag() noexcept { learning_ = true; }
  Dice& dice() noexcept { return dice_; }

 private:
  struct State {
    Load load;
    std::uint64_t hash = 0;
    std::uint64_t life = 0;
    TimePoint born = TimePoint::min();
    Position position = kNowhere;
    bool ejected = false;
    bool active = false;
  };
  // The positions of one priority.
  struct Level {
    std::vector<Position> near;  // of our zone
    std::vector<Position> all;
  };
  static constexpr Position kNowhere = ~Position{};

  Slot take_slot(std::string_view id, TimePoint now);
  void free_slot(Slot slot);
  void make_levels(std::span<const Server> servers);
  void take_subset(std::vector<Position>& positions) const;
  void activate();
  std::size_t add_healthy(const std::vector<Position>& positions);
  void warm(State& state, TimePoint now);
  double nanoseconds(TimePoint time) const noexcept { return static_cast<double>((time - epoch_).count()); }

  const GroupOptions options_;
  Dice dice_;
  TimePoint epoch_{};
  bool assigned_ = false;
  bool learning_ = false;
  std::uint64_t generation_ = 0;
  std::uint64_t lives_ = 0;
  TimePoint warm_at_ = TimePoint::min();
  std::vector<Slot> slots_;  // by position
  std::vector<Position> active_;
  std::vector<Level> levels_;
  std::vector<State> states_;  // by slot
  std::vector<Slot> free_;
  std::uint64_t subset_hash_ = 0;
  std::unique_ptr<InFlightOrder> order_;
  struct Names;
  std::unique_ptr<Names> names_;
};

}  // namespace micro::balance
