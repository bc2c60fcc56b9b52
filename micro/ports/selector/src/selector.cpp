#include <micro/selector/selector.hpp>

#include <algorithm>
#include <charconv>
#include <functional>
#include <unordered_map>
#include <utility>

#include <micro/balance/hash.hpp>
#include <micro/balance/strategy.hpp>
#include <micro/id/id.hpp>

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
    if (request.filters.empty() && request.tried.empty()) [[likely]] {
      return &candidates[service(nodes, now).pick({}, request.key, now)];
    }
    left_.clear();
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      if (std::ranges::all_of(request.filters, [&](const FilterPtr& filter) { return filter->keep(candidates[i]); })) {
        left_.push_back(i);
      }
    }
    if (left_.empty()) return fail(all_filtered_out(nodes, request));
    const auto tried = [&](std::uint32_t i) {
      return std::ranges::find(request.tried, candidates[i].node.id) != request.tried.end();
    };
    if (!std::ranges::all_of(left_, tried)) std::erase_if(left_, tried);
    return &candidates[service(nodes, now).pick(left_, request.key, now)];
  }

  Ticket begin(const NodeList& nodes, const Candidate& candidate, TimePoint now) override {
    if (!learns_) return {};
    Service& known = service(nodes, now);
    const auto position = static_cast<std::uint32_t>(&candidate - nodes.candidates.data());
    return {.begun = now, .service = known.serial, .node = known.group.begin(position, now)};
  }
  void mark(const Ticket& ticket, Outcome outcome, TimePoint now) override {
    if (ticket.service == 0) return;
    // Services are few. One that was forgotten meanwhile has nothing to learn.
    const auto found = std::ranges::find(services_, ticket.service, [](const auto& entry) { return entry.second->serial; });
    if (found == services_.end()) return;
    balance::Group& group = found->second->group;
    if (outcome == Outcome::kUnknown) return group.abandon(ticket.node, ticket.begun);
    group.end(ticket.node, ticket.begun, now, outcome == Outcome::kFailed);
  }
  void reset(std::string_view service) override {
    if (const auto found = services_.find(service); found != services_.end()) services_.erase(found);
  }

 private:
  struct Service {
    balance::Group group{{}, fast_random()};
    std::unique_ptr<balance::Strategy> strategy;
    std::uint64_t list = 0;  // the group was made of
    std::uint64_t serial = 0;
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
    known.list = nodes.id.value();
    return known;
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
  std::vector<std::uint32_t> left_;  // kept for their memory
  std::vector<balance::Server> servers_;
};

}  // namespace

Result<std::unique_ptr<Selector>> make_selector(std::string_view strategy) {
  if (auto known = balance::make_strategy(strategy); !known) return fail(std::move(known.error()));
  return std::make_unique<DefaultSelector>(std::string(strategy));
}

}  // namespace micro::selector
