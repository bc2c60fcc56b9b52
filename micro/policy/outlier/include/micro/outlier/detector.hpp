#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <micro/duration/chrono.hpp>

namespace micro::outlier {

// When a server is taken out, and for how long. The signs are those of Envoy's outlier detection; unlike there, a server must
// always do worse than the others: when all fail it is the network, or the calls, and choosing others would not help.
struct Options {
  bool enabled = true;
  // So many failures in a row. 0: off.
  std::uint32_t consecutive_failures = 5;
  // Failures and latencies are compared at the end of each window, for servers with at least min_requests in it.
  Duration window = std::chrono::seconds(10);
  std::uint32_t min_requests = 20;
  // The part of a server's calls that failed is at least this, and by failure_margin greater than that of the others. 0: off.
  double failure_rate = 0.5;
  double failure_margin = 0.3;
  // The mean latency is more than this many times the median of the servers, and more than min_latency above it. 0: off, because
  // a server may be slower for a good reason: it is farther away, or has the large keys.
  double latency_factor = 0;
  Duration min_latency = std::chrono::milliseconds(100);
  // When so large a part of the calls to the others failed in this window and the last, nobody is taken out.
  double others_failing = 0.5;
  // The first time out; each further one takes twice as long. A window in which the server does well takes back one doubling.
  Duration base_ejection = std::chrono::seconds(5);
  Duration max_ejection = std::chrono::minutes(5);
  // No more than this part of the servers is out at a time, but one may be; and at least min_healthy stay.
  double max_ejected = 0.5;
  std::size_t min_healthy = 1;
};

enum class Reason : std::uint8_t { kConsecutiveFailures, kFailureRate, kLatency, kReturned };
// "5 failures in a row" and the like is for the caller to say; this is the word: "consecutive failures".
std::string_view to_string(Reason reason) noexcept;

// How one call went.
struct Sample {
  bool failed = false;  // and the server is to blame
  Duration latency{};
};

// A server of the list: a small number that is its own as long as it is known, and one that tells apart those that have the same
// number one after the other.
struct Member {
  std::uint32_t slot = 0;
  std::uint64_t life = 0;
};

// What happened to a server.
struct Change {
  std::uint32_t slot = 0;
  Reason reason{};
  Duration time_out{};  // zero for kReturned
};

// Decides which servers of one service are out. Pure: time is passed in and must not go back.
// Thread safety: one object, one thread.
class Detector {
 public:
  explicit Detector(Options options = {});

  // Replaces the list; what is known of members that stay is kept.
  void assign(std::span<const Member> members, TimePoint now);
  // Adds an outcome. True when somebody was ejected: see changes().
  bool record(std::uint32_t slot, const Sample& sample, TimePoint now);
  // Compares when a window is over, and brings back those whose time is over. True when something changed: see changes().
  bool tick(TimePoint now);
  // When tick() has something to do.
  TimePoint next() const noexcept { return next_; }
  // Of the last record() or tick().
  std::span<const Change> changes() const noexcept { return changes_; }

  bool ejected(std::uint32_t slot) const noexcept { return slot < states_.size() && states_[slot].ejected; }
  // Of an ejected one: when it comes back.
  TimePoint returns_at(std::uint32_t slot) const noexcept { return states_[slot].returns_at; }
  std::size_t ejected_count() const noexcept { return ejected_count_; }
  // Forgets everything; all are back. changes() tells who.
  bool forget(TimePoint now);

 private:
  struct Counts {
    std::uint32_t requests = 0;
    std::uint32_t failures = 0;
    double latency = 0;  // the sum, in nanoseconds
  };
  struct State {
    std::uint64_t life = 0;
    Counts window;
    Counts last;
    std::uint32_t in_a_row = 0;
    std::uint32_t times = 0;  // how often it was ejected, less what was taken back
    bool listed = false;
    bool ejected = false;
    TimePoint returns_at{};
  };

  bool has_room() const noexcept;
  bool others_fail(const State& state) const noexcept;
  bool eject(std::uint32_t slot, Reason reason, TimePoint now);
  void give_back(std::uint32_t slot);
  void compare(TimePoint now);
  double median_latency();
  void plan();

  const Options options_;
  std::vector<State> states_;  // by slot
  std::vector<std::uint32_t> listed_;
  std::size_t ejected_count_ = 0;
  Counts window_;  // of all
  Counts last_;
  TimePoint window_end_ = TimePoint::max();
  TimePoint next_ = TimePoint::max();
  std::vector<Change> changes_;
  std::vector<double> latencies_;
};

}  // namespace micro::outlier
