#include "connection_watch.hpp"

#include <algorithm>

namespace micro::rpc {
namespace {

// A peer without calls gets this long to acknowledge that we leave.
constexpr Duration kFarewell = std::chrono::seconds(5);

bool passed(Duration limit, TimePoint since, TimePoint now) noexcept { return limit > Duration{} && now - since >= limit; }

}  // namespace

ConnectionWatch::Verdict ConnectionWatch::look(const ConnectionSample& sample, const ServerOptions& limits,
                                               TimePoint now) noexcept {
  if (sample.received != received_) {
    received_ = sample.received;
    heard_ = now;
    pinged_ = false;
  }
  if (sample.phase != phase_ || sample.requests != requests_) {
    phase_ = sample.phase;
    requests_ = sample.requests;
    phase_since_ = now;
    body_.restart();
    said_goodbye_ = false;
  }

  if (!sample.output_waits) {
    output_.restart();
  } else if (limits.write_timeout > Duration{} &&
             !output_.keeps_up(sample.sent, now, limits.write_timeout, limits.min_transfer_rate)) {
    return Verdict::kNotTaken;
  }

  if (passed(limits.max_connection_age, born_, now) && !old_) {
    old_ = true;
    return Verdict::kOld;
  }

  switch (phase_) {
    case Phase::kHead:
      if (passed(limits.header_timeout, phase_since_, now)) return Verdict::kHeadLate;
      break;
    case Phase::kBody:
      if (limits.body_timeout > Duration{} && !body_.keeps_up(received_, now, limits.body_timeout, limits.min_transfer_rate)) {
        return Verdict::kBodyLate;
      }
      break;
    case Phase::kIdle:
      if (said_goodbye_) {
        if (passed(std::min(kFarewell, limits.idle_timeout), phase_since_, now)) return Verdict::kStillIdle;
      } else if (passed(limits.idle_timeout, phase_since_, now)) {
        said_goodbye_ = true;
        phase_since_ = now;
        return Verdict::kIdle;
      }
      break;
    case Phase::kBusy:
      if (!sample.can_ping) break;
      if (pinged_ && passed(limits.keepalive_timeout, heard_, now)) return Verdict::kDead;
      if (!pinged_ && passed(limits.keepalive_time, heard_, now)) {
        pinged_ = true;
        heard_ = now;
        return Verdict::kPing;
      }
      break;
  }
  return Verdict::kFine;
}

Duration ConnectionWatch::interval(const ServerOptions& limits) noexcept {
  Duration shortest = std::chrono::seconds(4);
  for (const Duration limit : {limits.header_timeout, limits.body_timeout, limits.write_timeout, limits.idle_timeout,
                               limits.keepalive_time, limits.keepalive_timeout, limits.max_connection_age}) {
    if (limit > Duration{}) shortest = std::min(shortest, limit);
  }
  return std::max<Duration>(shortest / 4, std::chrono::milliseconds(10));
}

}  // namespace micro::rpc
