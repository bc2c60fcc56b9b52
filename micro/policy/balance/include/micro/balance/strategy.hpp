#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <micro/balance/group.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

namespace micro::balance {

// What a strategy knows of one call.
struct Query {
  TimePoint now{};
  // For the hashing strategies: hash_key() of what the call is about. Without one they choose at random.
  std::optional<std::uint64_t> key;
};

// Chooses one server of a group. Pure logic: no clock, no sockets, no locks; each loop has its own object for each service.
//
// docs/reference/balancing.md has the formula, source and use of each.
// Thread safety: one object, one thread.
class Strategy {
 public:
  using Position = Group::Position;
  virtual ~Strategy() = default;
  virtual std::string_view name() const noexcept = 0;
  // One of group.active(), of which there is at least one. In the time that 100 ns are with 1,000 servers, without an allocation,
  // once it has seen this generation of the group.
  virtual Position pick(Group& group, const Query& query) = 0;
  // One of `among`, positions of the group in ascending order, at least one: for calls that filter. May look at each of them.
  virtual Position pick_among(Group& group, std::span<const Position> among, const Query& query) = 0;
};

// What strategies take beyond the options of their group.
struct StrategyOptions {
  // p2c: a server that was passed over and not chosen for this long is chosen, to see how it is doing. Zero: never.
  Duration forced_pick = std::chrono::seconds(3);
  // consistent_hash: points of a server on the ring, for fleets of up to 1,024; half of them for each doubling beyond, at
  // least 8.
  std::size_t ring_points = 128;
};

// "round_robin": each in turn, beginning at a random place so that many clients do not all begin with the same server.
std::unique_ptr<Strategy> round_robin();
// The same beginning at `first`, for tests and for clients that want it exact.
std::unique_ptr<Strategy> round_robin(std::size_t first);
// "random": uniform, whatever the weights.
std::unique_ptr<Strategy> random();
// "weighted_round_robin": nginx's smooth one. Weights 5, 1, 1 give a a b a c a a. With more than 64 different weights near ones
// are taken together.
std::unique_ptr<Strategy> weighted_round_robin();
// "p2c": of two random servers the one worth more, Group::worth().
std::unique_ptr<Strategy> p2c(StrategyOptions options = {});
// "least_loaded": the fewest calls under way, whatever the weights.
std::unique_ptr<Strategy> least_loaded();
// "consistent_hash": the key's place on a ring of points, as in ketama; weights give more points.
std::unique_ptr<Strategy> consistent_hash(StrategyOptions options = {});
// "rendezvous": the server with the highest hash together with the key (Thaler, Ravishankar 1998), weighted by -w / ln(hash).
// Keys are put into 65,536 classes first, whose owners are remembered until the servers change.
std::unique_ptr<Strategy> rendezvous();

// By name; INVALID_ARGUMENT lists the known names.
Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name, const StrategyOptions& options = {});
// "round_robin, random, ...", for help and errors.
std::string strategy_names();

}  // namespace micro::balance
