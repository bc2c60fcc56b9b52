#include <micro/selector/selector.hpp>

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

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
      return &candidates[strategy(nodes.service).pick(candidates.size(), now)];
    }
    left_.clear();
    for (const Candidate& candidate : candidates) {
      if (std::ranges::all_of(request.filters, [&](const FilterPtr& filter) { return filter->keep(candidate); })) {
        left_.push_back(&candidate);
      }
    }
    if (left_.empty()) return fail(all_filtered_out(nodes, request));
    const auto tried = [&](const Candidate* candidate) {
      return std::ranges::find(request.tried, candidate->node.id) != request.tried.end();
    };
    if (!std::ranges::all_of(left_, tried)) std::erase_if(left_, tried);
    return left_[strategy(nodes.service).pick(left_.size(), now)];
  }

  void mark(const registry::Node&, const Outcome&) override {}
  void reset(std::string_view service) override {
    if (const auto found = strategies_.find(service); found != strategies_.end()) strategies_.erase(found);
  }

 private:
  balance::Strategy& strategy(const std::string& service) {
    const auto found = strategies_.find(service);
    if (found != strategies_.end()) [[likely]]
      return *found->second;
    // make_selector() has made sure that the name is known.
    return *strategies_.emplace(service, balance::make_strategy(strategy_).value()).first->second;
  }

  static Error all_filtered_out(const NodeList& nodes, const Request& request) {
    std::string filters;
    for (const FilterPtr& filter : request.filters) filters.append(filters.empty() ? "" : ", ").append(filter->describe());
    return failed_precondition("all " + std::to_string(nodes.candidates.size()) + " nodes of \"" + nodes.service +
                               "\" were filtered out by " + filters)
        .with_reason("NODES_FILTERED_OUT");
  }

  const std::string strategy_;
  std::unordered_map<std::string, std::unique_ptr<balance::Strategy>, Hash, std::equal_to<>> strategies_;
  std::vector<const Candidate*> left_;  // kept for its memory
};

}  // namespace

Result<std::unique_ptr<Selector>> make_selector(std::string_view strategy) {
  if (auto known = balance::make_strategy(strategy); !known) return fail(std::move(known.error()));
  return std::make_unique<DefaultSelector>(std::string(strategy));
}

}  // namespace micro::selector
