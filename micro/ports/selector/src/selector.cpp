#include <micro/selector/selector.hpp>

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

#include <micro/balance/strategy.hpp>
#include <micro/id/id.hpp>

namespace micro::selector {
namespace {

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

class DefaultSelector final : public Selector {
 public:
  explicit DefaultSelector(std::string strategy) : strategy_(std::move(strategy)) {}

  Result<const Candidate*> select(const NodeList& nodes, const Request& request, TimePoint now) override {
    const auto& candidates = nodes.candidates;
    if (candidates.empty()) {
      return fail(
          not_found("no node of service \"" + nodes.service + "\": none is registered, or all have left").with_reason("NO_NODE"));
    }
    if (request.filters.empty() && request.tried.empty()) [[likely]] {
      return &candidates[service(nodes, now).pick({}, now)];
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
    return &candidates[service(nodes, now).pick(left_, now)];
  }

  void mark(const registry::Node&, const Outcome&) override {}
  void reset(std::string_view service) override {
    if (const auto found = services_.find(service); found != services_.end()) services_.erase(found);
  }

 private:
  struct Service {
    balance::Group group{{}, fast_random()};
    std::unique_ptr<balance::Strategy> strategy;
    std::uint64_t list = 0;  // the group was made of
    std::uint32_t pick(std::span<const std::uint32_t> among, TimePoint now) {
      return among.empty() ? strategy->pick(group, {.now = now}) : strategy->pick_among(group, among, {.now = now});
    }
  };
  Service& service(const NodeList& nodes, TimePoint now) {
    auto found = services_.find(nodes.service);
    if (found == services_.end()) {
      found = services_.emplace(nodes.service, std::make_unique<Service>()).first;
      // make_selector() has made sure that the name is known.
      found->second->strategy = balance::make_strategy(strategy_).value();
    }
    Service& known = *found->second;
    if (known.list == nodes.id.value()) [[likely]]
      return known;
    servers_.clear();
    for (const Candidate& candidate : nodes.candidates) servers_.push_back({.id = candidate.node.id});
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
