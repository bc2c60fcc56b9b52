#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

namespace micro::balance {

// Chooses one of several equal servers. Pure logic: no clock, no sockets, no locks; each loop has its own object.
//
// `count` is how many candidates there are now and may change from call to call; a strategy keeps going sensibly across changes.
// Thread safety: one object, one thread.
class Strategy {
 public:
  virtual ~Strategy() = default;
  virtual std::string_view name() const noexcept = 0;
  // An index below `count`; `count` is at least 1.
  virtual std::size_t pick(std::size_t count, TimePoint now) = 0;
};

// "round_robin": each in turn, beginning at a random place so that many clients do not all begin with the same server.
std::unique_ptr<Strategy> round_robin();
// The same beginning at `first`, for tests and for clients that want it exact.
std::unique_ptr<Strategy> round_robin(std::size_t first);
// "random": uniform.
std::unique_ptr<Strategy> random();
// The same with a sequence that follows from `seed`, for tests.
std::unique_ptr<Strategy> random(std::uint64_t seed);

// By name; INVALID_ARGUMENT lists the known names.
Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name);

}  // namespace micro::balance
