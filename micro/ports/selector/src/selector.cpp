#include <micro/selector/selector.hpp>

#include <algorithm>
#include <charconv>
#include <functional>
#include <unordered_map>
#include <utility>

#include <micro/balance/hash.hpp>
#include <micro/balance/strategy.hpp>
#include <micro/duration/duration.hpp>
#include <micro/id/id.hpp>
#include <micro/outlier/detector.hpp>

namespace micro::selector {
namespace {

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

// A node's metadata are a stranger's: what is no number counts as if it were not there.
std::uint32_t number(const registry::Node& node, std::string_view key, std::uint32_t fallback) {
  const std::string_view text = registry::property(node.metadata, key);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? value : fallback;
}

class DefaultSelector final : public Selector {
 public:
  explicit DefaultSelector(std::string strategy)
      : strategy_(std::move(strategy)), learns_(strategy_ == "p2c" || strategy_ == "least_loaded") {}

  Result<const Candidate*> select(const NodeList& nodes, const Request& request, TimePoint now) override {
    const auto& candidates = nodes.candidates;
    if (candidates.empty()) {
      return fail(
          not_found("no node of service \"" + nodes.service + "\": none is registered, or all have left").with_reason("NO_NODE"));
    }
    Service& known = service(nodes, now);
    if (now >= known.detector.next()) known.tick(now);
    if (request.filters.empty() && request.tried.empty()) [[likely]] {
      return &candidates[known.pick({}, request.key, now)];
    }
    left_.clear();
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      if (std::ranges::all_of(request.filters, [&](const FilterPtr& filter) { return filter->keep(candidates[i]); })) {
        left_.push_back(i);
      }
    }
    if (left_.empty()) return fail(all_filtered_out(nodes, request));
    if (std::ranges::all_of(left_, [&](std::uint32_t i) { return known.group.ejected(i); })) {
      return fail(all_ejected(nodes, known, now));
    }
    std::erase_if(left_, [&](std::uint32_t i) { return known.group.ejected(i); });
    // Those that stand by are there for calls that filter the others out.
    prefer([&](std::uint32_t i) { return known.group.is_active(i); });
    prefer([&](std::uint32_t i) { return std::ranges::find(request.tried, candidates[i].node.id) == request.tried.end(); });
    return &candidates[known.pick(left_, request.key, now)];
  }

  Ticket begin(const NodeList& nodes, const Candidate& candidate, TimePoint now) override {
    Service& known = service(nodes, now);
    const auto position = static_cast<std::uint32_t>(&candidate - nodes.candidates.data());
    const std::uint32_t slot = learns_ ? known.group.begin(position, now) : known.group.slot(position);
    return {.begun = now, .service = known.serial, .life = known.group.life(slot), .node = slot};
  }
  void mark(const Ticket& ticket, Outcome outcome, TimePoint now) override {
    if (ticket.service == 0) return;
    // One that was forgotten meanwhile has nothing to learn.
    const auto found = by_serial_.find(ticket.service);
    if (found == by_serial_.end()) return;
    Service& known = *found->second;
    if (outcome == Outcome::kUnknown) {
      if (learns_) known.group.abandon(ticket.node, ticket.begun);
      return;
    }
    const bool failed = outcome == Outcome::kFailed;
    if (known.group.life(ticket.node) == ticket.life &&
        known.detector.record(ticket.node, {.failed = failed, .latency = now - ticket.begun}, now)) {
      known.apply(now);
    }
    if (learns_) known.group.end(ticket.node, ticket.begun, now, failed);
  }
  void reset(std::string_view service) override {
    const auto found = services_.find(service);
    if (found == services_.end()) return;
    by_serial_.erase(found->second->serial);
    services_.erase(found);
  }

 private:
  struct Service {
    balance::Group group{{}, fast_random()};
    std::unique_ptr<balance::Strategy> strategy;
    std::uint64_t list = 0;  // the group was made of
    std::uint64_t serial = 0;
    outlier::Detector detector;

    void tick(TimePoint now) {
      if (detector.tick(now)) apply(now);
    }
    void apply(TimePoint now) {
      for (const outlier::Change& change : detector.changes()) {
        if (change.reason == outlier::Reason::kReturned) {
          group.restore(change.slot, now);
        } else {
          group.eject(change.slot);
        }
      }
    }
    std::uint32_t pick(std::span<const std::uint32_t> among, std::string_view key, TimePoint now) {
      balance::Query query{.now = now};
      if (!key.empty()) query.key = balance::hash_key(key);
      return among.empty() ? strategy->pick(group, query) : strategy->pick_among(group, among, query);
    }
  };
  Service& service(const NodeList& nodes, TimePoint now) {
    auto found = services_.find(nodes.service);
    if (found == services_.end()) {
      found = services_.emplace(nodes.service, std::make_unique<Service>()).first;
      // make_selector() has made sure that the name is known.
      found->second->strategy = balance::make_strategy(strategy_).value();
      found->second->serial = ++serials_;
      by_serial_.emplace(serials_, found->second.get());
    }
    Service& known = *found->second;
    if (known.list == nodes.id.value()) [[likely]]
      return known;
    servers_.clear();
    for (const Candidate& candidate : nodes.candidates) {
      const registry::Node& node = candidate.node;
      servers_.push_back(
          {.id = node.id, .weight = number(node, "weight", 100), .priority = number(node, "priority", 0), .zone = {}});
    }
    known.group.assign(servers_, now);
    members_.clear();
    for (std::uint32_t i = 0; i < known.group.size(); ++i) {
      const std::uint32_t slot = known.group.slot(i);
      members_.push_back({.slot = slot, .life = known.group.life(slot)});
    }
    known.detector.assign(members_, now);
    known.list = nodes.id.value();
    return known;
  }

  // Leaves in left_ those that are wanted, if there are any.
  template <class Wanted>
  void prefer(Wanted wanted) {
    if (std::ranges::any_of(left_, wanted)) std::erase_if(left_, [&](std::uint32_t i) { return !wanted(i); });
  }

  Error all_ejected(const NodeList& nodes, const Service& known, TimePoint now) const {
    TimePoint first = TimePoint::max();
    for (const std::uint32_t i : left_) first = std::min(first, known.detector.returns_at(known.group.slot(i)));
    return unavailable("all " + std::to_string(left_.size()) + " nodes of \"" + nodes.service +
                       "\" that are asked for fail and are left alone for a while; the first is tried again in " +
                       format_duration(std::max(first - now, Duration::zero())))
        .with_reason("NODES_EJECTED");
  }

  static Error all_filtered_out(const NodeList& nodes, const Request& request) {
    std::string filters;
    for (const FilterPtr& filter : request.filters) filters.append(filters.empty() ? "" : ", ").append(filter->describe());
    return failed_precondition("all " + std::to_string(nodes.candidates.size()) + " nodes of \"" + nodes.service +
                               "\" were filtered out by " + filters)
        .with_reason("NODES_FILTERED_OUT");
  }

  const std::string strategy_;
  const bool learns_;
  std::uint64_t serials_ = 0;
  std::unordered_map<std::string, std::unique_ptr<Service>, Hash, std::equal_to<>> services_;
  std::unordered_map<std::uint64_t, Service*> by_serial_;
  std::vector<std::uint32_t> left_;  // kept for their memory
  std::vector<balance::Server> servers_;
  std::vector<outlier::Member> members_;
};

}  // namespace

Result<std::unique_ptr<Selector>> make_selector(std::string_view strategy) {
  if (auto known = balance::make_strategy(strategy); !known) return fail(std::move(known.error()));
  return std::make_unique<DefaultSelector>(std::string(strategy));
}

}  // namespace micro::selector
