#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <micro/balance/strategy.hpp>
#include <micro/error/error.hpp>
#include <micro/registry/node_list.hpp>

namespace micro::selector {

// What a selector chooses from: see <micro/registry/node_list.hpp>.
using registry::Candidate;
using registry::NodeList;

// Says whether a node may be chosen. Filters are pure and shared between threads.
class Filter {
 public:
  virtual ~Filter() = default;
  virtual bool keep(const Candidate& candidate) const = 0;
  // For the error when nothing is left: "version = v2".
  virtual std::string describe() const = 0;
};
using FilterPtr = std::shared_ptr<const Filter>;

FilterPtr with_version(std::string version);
FilterPtr with_label(std::string key, std::string value);  // a property of the node
FilterPtr with_address(std::string address);
FilterPtr without_nodes(std::vector<std::string> ids);  // a blacklist

// How one call wants its node chosen.
struct Request {
  std::span<const FilterPtr> filters;
  // Nodes already tried by this call: avoided as long as there is another one.
  std::span<const std::string> tried;
  // What the call is about, for strategies that send everything about one thing to one node. Empty: such a strategy chooses at
  // random.
  std::string_view key;
};

// A call under way, for selectors that learn from calls.
struct Ticket {
  TimePoint begun{};
  std::uint64_t service = 0;  // 0: nothing is learnt
  std::uint64_t life = 0;     // tells apart the nodes that have one number one after the other
  std::uint32_t node = 0;
};

// What became of it.
enum class Outcome : std::uint8_t {
  kAnswered,
  kFailed,   // by the node's fault: UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED ...
  kUnknown,  // the caller went away
};

// Chooses the node for a call.
//
// Errors, each naming the service: NOT_FOUND "no node of service X" for an empty list; FAILED_PRECONDITION "all N nodes of X were
// filtered out by ..." when filters leave nothing; UNAVAILABLE [NODES_EJECTED] when all that they leave are left alone for a
// while, with the time of the first to come back. Thread safety: one object a loop.
class Selector {
 public:
  virtual ~Selector() = default;
  // The chosen candidate; it belongs to `nodes`. A list must not change between two calls: what changed is another list.
  virtual Result<const Candidate*> select(const NodeList& nodes, const Request& request, TimePoint now) = 0;
  // A call to `candidate`, chosen from `nodes` just now, begins. mark() must follow exactly once, whatever becomes of it.
  virtual Ticket begin(const NodeList& nodes, const Candidate& candidate, TimePoint now) = 0;
  virtual void mark(const Ticket& ticket, Outcome outcome, TimePoint now) = 0;
  // Forgets what was learnt about a service.
  virtual void reset(std::string_view service) = 0;
};

// The default selector: filters, then a strategy for each service, by its name in <micro/balance/strategy.hpp>. It knows a node's
// metadata "weight" (a number; 100 where there is none) and "priority" (those with the smallest are used, the others stand by).
// Nodes that fail much more than the others are left alone for a while, longer each time (<micro/outlier/detector.hpp>, with its
// defaults). INVALID_ARGUMENT for an unknown strategy, with the names of the known ones.
Result<std::unique_ptr<Selector>> make_selector(std::string_view strategy = "round_robin");

}  // namespace micro::selector
