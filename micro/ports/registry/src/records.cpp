#include <micro/registry/records.hpp>

#include <algorithm>
#include <atomic>
#include <string>
#include <tuple>
#include <utility>

#include <micro/registry/node_list.hpp>
#include <micro/registry/registry.hpp>

namespace micro::registry {
namespace {

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

Result<void> check(const Service& service, std::string_view verb, bool needs_address) {
  const std::string prefix = "cannot " + std::string(verb) + " service " + quoted(service.name) + ": ";
  if (service.name.empty()) return fail(invalid_argument(prefix + "the name is empty"));
  for (const Node& node : service.nodes) {
    if (node.id.empty()) return fail(invalid_argument(prefix + "the node at " + quoted(node.address) + " has no id"));
    if (needs_address && node.address.empty()) {
      return fail(invalid_argument(prefix + "node " + quoted(node.id) + " has no address"));
    }
    const auto same_id = [&](const Node& other) { return other.id == node.id; };
    if (std::ranges::count_if(service.nodes, same_id) > 1) {
      return fail(invalid_argument(prefix + "node id " + quoted(node.id) + " is there twice"));
    }
  }
  return {};
}

}  // namespace

std::string_view property(const Properties& properties, std::string_view key, std::string_view fallback) noexcept {
  for (const auto& [name, value] : properties) {
    if (name == key) return value;
  }
  return fallback;
}

void set_property(Properties& properties, std::string_view key, std::string_view value) {
  for (auto& [name, old] : properties) {
    if (name == key) {
      old.assign(value);
      return;
    }
  }
  properties.emplace_back(key, value);
}

Result<void> check_registrable(const Service& service) {
  if (auto checked = check(service, "register", true); !checked) return checked;
  if (service.nodes.empty())
    return fail(invalid_argument("cannot register service " + quoted(service.name) + ": it has no node"));
  return {};
}

Result<void> check_deregistrable(const Service& service) { return check(service, "deregister", false); }

Service single_node(const Service& service, const Node& node) {
  return {.name = service.name,
          .version = service.version,
          .metadata = service.metadata,
          .endpoints = service.endpoints,
          .nodes = {node}};
}

std::vector<Service> merge(std::vector<Service> records) {
  std::erase_if(records, [](const Service& record) { return record.nodes.empty(); });
  std::ranges::sort(records, {}, [](const Service& record) {
    return std::tuple<const std::string&, const std::string&, const std::string&>(record.name, record.version,
                                                                                  record.nodes.front().id);
  });
  std::vector<Service> merged;
  for (Service& record : records) {
    if (merged.empty() || merged.back().name != record.name || merged.back().version != record.version) {
      merged.push_back(std::move(record));
      continue;
    }
    Service& service = merged.back();
    if (service.metadata.empty()) service.metadata = std::move(record.metadata);
    if (service.endpoints.empty()) service.endpoints = std::move(record.endpoints);
    service.nodes.push_back(std::move(record.nodes.front()));
  }
  return merged;
}

Error no_node(std::string_view service, std::string_view registry) {
  return not_found("no node of service " + quoted(service) + " in " + std::string(registry))
      .with_reason("NO_NODE")
      .with("service", std::string(service));
}

Error read_only(std::string_view verb, std::string_view service, std::string_view registry) {
  return failed_precondition("cannot " + std::string(verb) + " service " + quoted(service) + ": the " + std::string(registry) +
                             " is read-only; name the service where its records come from")
      .with_reason(std::string(kReadOnly))
      .with("service", std::string(service));
}

ListId::ListId() {
  static std::atomic<std::uint64_t> last = 0;
  value_ = last.fetch_add(1, std::memory_order_relaxed) + 1;
}

NodeList make_node_list(std::string_view service, const std::vector<Service>& versions) {
  NodeList list{.service = std::string(service)};
  for (const Service& version : versions) {
    for (const Node& node : version.nodes) list.candidates.push_back({.node = node, .version = version.version});
  }
  std::ranges::sort(list.candidates, {}, [](const Candidate& candidate) -> const std::string& { return candidate.node.id; });
  return list;
}

}  // namespace micro::registry
