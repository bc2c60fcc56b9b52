#pragma once

#include <cstdint>

#include <micro/duration/chrono.hpp>
#include <micro/server/options.hpp>

#include "pace.hpp"

namespace micro::rpc {

// What a connection waits for.
enum class Phase : std::uint8_t {
  kHead,  // a request's head, which has begun; on a new connection also its beginning
  kBody,  // more of a request's body
  kBusy,  // for itself: a call is under way, or bytes are not read just now
  kIdle,  // the next request
};

// How a connection stands at one moment.
struct ConnectionSample {
  Phase phase = Phase::kHead;
  std::uint64_t requests = 0;  // begun so far
  std::uint64_t received = 0;  // bytes so far
  std::uint64_t sent = 0;
  bool output_waits = false;  // the socket takes no more output just now
  bool can_ping = false;
};

// Decides when a connection's peer has had time enough. A state machine without a clock: it is shown a sample now and then and
// keeps when it first saw what; a limit is noticed with the first sample behind it.
class ConnectionWatch {
 public:
  enum class Verdict : std::uint8_t {
    kFine,
    kHeadLate,   // header_timeout
    kBodyLate,   // body_timeout
    kNotTaken,   // write_timeout
    kIdle,       // idle_timeout: say good-bye
    kStillIdle,  // the peer has not answered that
    kPing,       // keepalive_time
    kDead,       // keepalive_timeout
    kOld,        // max_connection_age; told once
  };

  explicit ConnectionWatch(TimePoint accepted) noexcept : born_(accepted), phase_since_(accepted), heard_(accepted) {}

  Verdict look(const ConnectionSample& sample, const ServerOptions& limits, TimePoint now) noexcept;

  // How often to look, so that every limit is noticed in good time.
  static Duration interval(const ServerOptions& limits) noexcept;

 private:
  TimePoint born_;
  TimePoint phase_since_;
  TimePoint heard_;  // when bytes had come that were not there before, or when we pinged
  std::uint64_t requests_ = 0;
  std::uint64_t received_ = 0;
  Pace body_;
  Pace output_;
  Phase phase_ = Phase::kHead;
  bool pinged_ = false;
  bool said_goodbye_ = false;
  bool old_ = false;
};

}  // namespace micro::rpc
