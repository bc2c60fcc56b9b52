#include <micro/outlier/detector.hpp>

#include <algorithm>
#include <utility>

namespace micro::outlier {
namespace {

double rate(std::uint32_t failures, std::uint32_t requests) {
  return requests == 0 ? 0 : static_cast<double>(failures) / requests;
}

}  // namespace

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::kConsecutiveFailures:
      return "consecutive failures";
    case Reason::kFailureRate:
      return "failure rate";
    case Reason::kLatency:
      return "latency";
    case Reason::kReturned:
      return "returned";
  }
  return "?";
}

Detector::Detector(Options options) : options_(options) {}

void Detector::assign(std::span<const Member> members, TimePoint now) {
  for (const std::uint32_t slot : listed_) states_[slot].listed = false;
  listed_.clear();
  for (const Member& member : members) {
    if (member.slot >= states_.size()) states_.resize(member.slot + 1);
    State& state = states_[member.slot];
    if (state.life != member.life) state = {};
    state.life = member.life;
    state.listed = true;
    listed_.push_back(member.slot);
  }
  ejected_count_ =
      static_cast<std::size_t>(std::ranges::count_if(listed_, [&](std::uint32_t slot) { return states_[slot].ejected; }));
  if (window_end_ == TimePoint::max() && options_.enabled) window_end_ = now + options_.window;
  plan();
}

bool Detector::record(std::uint32_t slot, const Sample& sample, TimePoint now) {
  if (!options_.enabled || slot >= states_.size() || !states_[slot].listed) return false;
  State& state = states_[slot];
  ++state.window.requests;
  ++window_.requests;
  state.window.latency += static_cast<double>(sample.latency.count());
  if (!sample.failed) [[likely]] {
    state.in_a_row = 0;
    return false;
  }
  ++state.window.failures;
  ++window_.failures;
  ++state.in_a_row;
  if (options_.consecutive_failures == 0 || state.in_a_row < options_.consecutive_failures) return false;
  changes_.clear();
  if (!eject(slot, Reason::kConsecutiveFailures, now)) return false;
  plan();
  return true;
}

bool Detector::tick(TimePoint now) {
  changes_.clear();
  for (const std::uint32_t slot : listed_) {
    if (states_[slot].ejected && states_[slot].returns_at <= now) give_back(slot);
  }
  if (now >= window_end_) compare(now);
  plan();
  return !changes_.empty();
}

bool Detector::forget(TimePoint now) {
  changes_.clear();
  for (const std::uint32_t slot : listed_) {
    if (states_[slot].ejected) give_back(slot);
    const std::uint64_t life = states_[slot].life;
    states_[slot] = {};
    states_[slot].life = life;
    states_[slot].listed = true;
  }
  window_ = last_ = {};
  if (options_.enabled) window_end_ = now + options_.window;
  plan();
  return !changes_.empty();
}

bool Detector::has_room() const noexcept {
  const std::size_t healthy = listed_.size() - ejected_count_;
  if (healthy <= options_.min_healthy) return false;
  const auto most = static_cast<std::size_t>(options_.max_ejected * static_cast<double>(listed_.size()));
  return ejected_count_ < std::max<std::size_t>(1, most);
}

bool Detector::others_fail(const State& state) const noexcept {
  const std::uint32_t requests = window_.requests + last_.requests - state.window.requests - state.last.requests;
  const std::uint32_t failures = window_.failures + last_.failures - state.window.failures - state.last.failures;
  return requests != 0 && rate(failures, requests) >= options_.others_failing;
}

bool Detector::eject(std::uint32_t slot, Reason reason, TimePoint now) {
  State& state = states_[slot];
  if (state.ejected || !has_room() || others_fail(state)) return false;
  Duration time_out = std::min(options_.base_ejection, options_.max_ejection);
  for (std::uint32_t i = 0; i < state.times && time_out < options_.max_ejection; ++i)
    time_out = std::min(time_out * 2, options_.max_ejection);
  ++state.times;
  state.ejected = true;
  state.returns_at = now + time_out;
  ++ejected_count_;
  changes_.push_back({slot, reason, time_out});
  return true;
}

// On probation: one more failure does not suffice, but what was counted before does not count any more.
void Detector::give_back(std::uint32_t slot) {
  State& state = states_[slot];
  state.ejected = false;
  state.in_a_row = 0;
  --ejected_count_;
  changes_.push_back({slot, Reason::kReturned, Duration::zero()});
}

double Detector::median_latency() {
  latencies_.clear();
  for (const std::uint32_t slot : listed_) {
    const Counts& counts = states_[slot].window;
    if (counts.requests >= options_.min_requests) latencies_.push_back(counts.latency / counts.requests);
  }
  if (latencies_.size() < 2) return 0;
  // Of two, the smaller one: the other is the one in question.
  const auto middle = latencies_.begin() + static_cast<std::ptrdiff_t>((latencies_.size() - 1) / 2);
  std::ranges::nth_element(latencies_, middle);
  return *middle;
}

void Detector::compare(TimePoint now) {
  const double median = options_.latency_factor > 0 ? median_latency() : 0;
  // The worst first: there may not be room for all.
  struct Suspect {
    std::uint32_t slot;
    Reason reason;
    double badness;
  };
  std::vector<Suspect> suspects;
  for (const std::uint32_t slot : listed_) {
    State& state = states_[slot];
    const Counts& counts = state.window;
    if (state.ejected || counts.requests < options_.min_requests) continue;
    const double failing = rate(counts.failures, counts.requests);
    const double others = rate(window_.failures - counts.failures, window_.requests - counts.requests);
    const double latency = counts.latency / counts.requests;
    if (options_.failure_rate > 0 && failing >= options_.failure_rate && failing >= others + options_.failure_margin) {
      suspects.push_back({slot, Reason::kFailureRate, 1 + failing});
    } else if (median > 0 && latency > median * options_.latency_factor &&
               latency > median + static_cast<double>(options_.min_latency.count())) {
      suspects.push_back({slot, Reason::kLatency, 1 - median / latency});
    } else if (state.times != 0) {
      --state.times;
    }
  }
  std::ranges::sort(suspects, [](const Suspect& a, const Suspect& b) {
    return a.badness != b.badness ? a.badness > b.badness : a.slot < b.slot;
  });
  for (const Suspect& suspect : suspects) eject(suspect.slot, suspect.reason, now);
  for (const std::uint32_t slot : listed_) states_[slot].last = std::exchange(states_[slot].window, {});
  last_ = std::exchange(window_, {});
  window_end_ = now + options_.window;
}

void Detector::plan() {
  next_ = window_end_;
  if (ejected_count_ == 0) return;
  for (const std::uint32_t slot : listed_) {
    if (states_[slot].ejected) next_ = std::min(next_, states_[slot].returns_at);
  }
}

}  // namespace micro::outlier
