#include <micro/balance/group.hpp>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include <micro/balance/hash.hpp>

#include "in_flight_order.hpp"

namespace micro::balance {
namespace {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return hash_key(text); }
};

}  // namespace

struct Group::Names {
  std::unordered_map<std::string, Slot, TextHash, std::equal_to<>> slots;
  std::vector<const std::string*> by_slot;  // the keys of `slots`; null: a free slot
};

Group::Group(GroupOptions options, std::uint64_t seed)
    : options_(std::move(options)), dice_(seed), subset_hash_(hash_key(options_.subset_key)), names_(std::make_unique<Names>()) {}

Group::~Group() = default;

void Group::assign(std::span<const Server> servers, TimePoint now) {
  if (!assigned_) epoch_ = now;
  for (const Slot slot : slots_) states_[slot].position = kNowhere;
  const std::vector<Slot> before = std::move(slots_);
  slots_.clear();
  slots_.reserve(servers.size());
  for (const Server& server : servers) {
    const Slot slot = take_slot(server.id, now);
    states_[slot].position = static_cast<Position>(slots_.size());
    states_[slot].load.weight = server.weight;
    slots_.push_back(slot);
  }
  for (const Slot slot : before) {
    if (states_[slot].position != kNowhere) continue;
    states_[slot].active = false;
    if (states_[slot].load.in_flight == 0) free_slot(slot);
  }
  assigned_ = assigned_ || !servers.empty();
  make_levels(servers);
  activate();
}

Group::Slot Group::take_slot(std::string_view id, TimePoint now) {
  auto& slots = names_->slots;
  if (const auto known = slots.find(id); known != slots.end()) return known->second;
  if (free_.empty()) {
    free_.push_back(static_cast<Slot>(states_.size()));
    states_.emplace_back();
    names_->by_slot.push_back(nullptr);
  }
  const Slot slot = free_.back();
  free_.pop_back();
  names_->by_slot[slot] = &slots.emplace(id, slot).first->first;
  State& state = states_[slot];
  state = {};
  state.hash = hash_key(id);
  state.life = ++lives_;
  state.load.picked = now;
  if (assigned_) warm(state, now);
  return slot;
}

void Group::free_slot(Slot slot) {
  names_->slots.erase(*names_->by_slot[slot]);
  names_->by_slot[slot] = nullptr;
  free_.push_back(slot);
}

void Group::make_levels(std::span<const Server> servers) {
  std::vector<Position> order(servers.size());
  for (Position i = 0; i < order.size(); ++i) order[i] = i;
  // Somebody who is not to get anything is the last resort.
  const auto rank = [&](Position i) { return std::pair(servers[i].weight == 0, servers[i].priority); };
  std::ranges::sort(order, {}, [&](Position i) { return std::pair(rank(i), i); });
  levels_.clear();
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || rank(order[i]) != rank(order[i - 1])) levels_.emplace_back();
    levels_.back().all.push_back(order[i]);
    if (!options_.zone.empty() && servers[order[i]].zone == options_.zone) levels_.back().near.push_back(order[i]);
  }
  for (Level& level : levels_) {
    take_subset(level.all);
    take_subset(level.near);
  }
}

void Group::take_subset(std::vector<Position>& positions) const {
  if (options_.subset_size == 0 || positions.size() <= options_.subset_size) return;
  const auto score = [&](Position position) { return Dice::mix(states_[slots_[position]].hash ^ subset_hash_); };
  const auto end = positions.begin() + static_cast<std::ptrdiff_t>(options_.subset_size);
  std::ranges::nth_element(positions, end, std::greater<>(), score);
  positions.erase(end, positions.end());
  std::ranges::sort(positions);
}

std::size_t Group::add_healthy(const std::vector<Position>& positions) {
  const std::size_t before = active_.size();
  for (const Position position : positions) {
    if (!states_[slots_[position]].ejected) active_.push_back(position);
  }
  return active_.size() - before;
}

void Group::activate() {
  ++generation_;
  for (const Slot slot : slots_) states_[slot].active = false;
  active_.clear();
  for (const Level& level : levels_) {
    const std::size_t before = active_.size();
    const auto part = [](std::size_t count, const std::vector<Position>& of) {
      return of.empty() ? 0 : static_cast<double>(count) / static_cast<double>(of.size());
    };
    double healthy = part(add_healthy(level.near), level.near);
    const bool near = healthy > 0 && healthy >= options_.zone_min_healthy;
    if (!near) {
      active_.resize(before);
      healthy = part(add_healthy(level.all), level.all);
    }
    if (near || healthy >= options_.priority_min_healthy) break;
    // Those without a weight only when there is nobody else.
    const bool next_is_last_resort = &level != &levels_.back() && states_[slots_[(&level + 1)->all.front()]].load.weight == 0;
    if (next_is_last_resort && !active_.empty()) break;
  }
  std::ranges::sort(active_);
  for (const Position position : active_) states_[slots_[position]].active = true;
  if (!order_) return;
  order_->clear(states_.size());
  // From a random place, so that many clients do not all begin with the same server.
  const std::size_t first = active_.empty() ? 0 : dice_.below(active_.size());
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const Slot slot = slots_[active_[(first + i) % active_.size()]];
    order_->add(slot, states_[slot].load.in_flight);
  }
}

Group::Slot Group::begin(Position position, TimePoint now) {
  const Slot slot = slots_[position];
  Load& load = states_[slot].load;
  load.picked = now;
  load.begun_sum += nanoseconds(now);
  if (order_) order_->more(slot, load.in_flight);
  ++load.in_flight;
  return slot;
}

void Group::abandon(Slot slot, TimePoint begun) {
  State& state = states_[slot];
  if (order_) order_->less(slot, state.load.in_flight);
  // So that no rounding error stays.
  state.load.begun_sum = --state.load.in_flight == 0 ? 0 : state.load.begun_sum - nanoseconds(begun);
  if (state.load.in_flight == 0 && state.position == kNowhere) free_slot(slot);
}

void Group::end(Slot slot, TimePoint begun, TimePoint now, bool failed) {
  if (learning_) {
    Load& load = states_[slot].load;
    const double apart = std::max(0.0, static_cast<double>((now - load.stamp).count()));
    const double w = load.lag == 0 ? 0 : std::exp(-apart / static_cast<double>(options_.load.tau.count()));
    // Nothing takes no time at all, and 0 means that nobody knows.
    const double latency = std::max(1.0, static_cast<double>((now - begun).count()));
    load.lag = load.lag * w + latency * (1 - w);
    load.success = load.success * w + (failed ? 0 : 1000 * (1 - w));
    load.stamp = now;
  }
  abandon(slot, begun);
}

void Group::warm(State& state, TimePoint now) {
  if (options_.slow_start <= Duration::zero()) return;
  state.born = now;
  warm_at_ = now + options_.slow_start;
}

double Group::warmth(Position position, TimePoint now) const noexcept {
  const TimePoint born = states_[slots_[position]].born;
  if (born == TimePoint::min() || now >= born + options_.slow_start) return 1;
  const double part = static_cast<double>((now - born).count()) / static_cast<double>(options_.slow_start.count());
  return std::max(options_.slow_start_min, part);
}

void Group::eject(Slot slot) {
  State& state = states_[slot];
  if (state.ejected || state.position == kNowhere) return;
  state.ejected = true;
  activate();
}

void Group::restore(Slot slot, TimePoint now) {
  State& state = states_[slot];
  if (!state.ejected) return;
  state.ejected = false;
  // What it was ejected for must not keep it from showing that it is well.
  state.load.lag = 0;
  state.load.success = 1000;
  warm(state, now);
  if (state.position != kNowhere) activate();
}

void Group::forget() {
  for (State& state : states_) {
    state.load.lag = 0;
    state.load.success = 1000;
    state.born = TimePoint::min();
  }
  warm_at_ = TimePoint::min();
}

double Group::expected_load(Position position, TimePoint now) const {
  const Load& load = states_[slots_[position]].load;
  double lag = load.lag == 0 ? static_cast<double>(options_.load.cold_lag.count()) : load.lag;
  if (load.in_flight != 0) {
    const double age = nanoseconds(now) - load.begun_sum / load.in_flight;
    lag = std::max(lag, age);
  }
  lag += static_cast<double>(options_.load.gap.count());
  if (options_.load.root) lag = std::sqrt(lag);
  return lag * (load.in_flight + 1);
}

double Group::worth(Position position, TimePoint now) const {
  const Load& load = states_[slots_[position]].load;
  return load.success * load.weight * 1e7 / expected_load(position, now);
}

Group::Position Group::least_in_flight() {
  if (!order_) {
    order_ = std::make_unique<InFlightOrder>();
    activate();
  }
  return states_[order_->first()].position;
}

void Group::pass_over(Position position) {
  const Slot slot = slots_[position];
  if (order_) order_->requeue(slot, states_[slot].load.in_flight);
}

}  // namespace micro::balance
