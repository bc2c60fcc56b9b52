#include <micro/plugin/plugins.hpp>

#include <algorithm>

#include <micro/registry/local.hpp>
#include <micro/registry/memory.hpp>
#include <micro/registry/multi.hpp>
#include <micro/registry/static.hpp>

#include "multi_address.hpp"

namespace micro {

namespace {

// Made of others in the table, so it is no factory in it.
constexpr std::string_view kMulti = "multi";

// For registries that have one form of record only.
Result<void> check_no_layout(std::string_view name, const RegistryConfig& config) {
  if (config.layout.empty()) return {};
  return fail(invalid_argument("the registry \"" + std::string(name) + "\" has one layout only, not \"" + config.layout +
                               "\": leave --registry_layout out"));
}

Result<std::shared_ptr<registry::Registry>> make_local(const RegistryConfig& config) {
  if (auto checked = check_no_layout("local", config); !checked) return fail(std::move(checked.error()));
  registry::Local::Options options;
  options.directory = config.address;
  return std::make_shared<registry::Local>(std::move(options));
}

Result<std::shared_ptr<registry::Registry>> make_memory(const RegistryConfig& config) {
  if (auto checked = check_no_layout("memory", config); !checked) return fail(std::move(checked.error()));
  return std::make_shared<registry::Memory>();
}

Result<std::shared_ptr<registry::Registry>> make_static(const RegistryConfig& config) {
  if (auto checked = check_no_layout("static", config); !checked) return fail(std::move(checked.error()));
  return registry::Static::make(config.address);
}

}  // namespace

Plugins::Plugins() : registries_{{"local", make_local}, {"memory", make_memory}, {"static", make_static}} {}

Result<void> Plugins::add_registry(std::string name, RegistryFactory factory) {
  if (name == kMulti ||
      std::ranges::find(registries_, name, &std::pair<std::string, RegistryFactory>::first) != registries_.end()) {
    return fail(already_exists("a registry called " + name + " is installed already"));
  }
  registries_.emplace_back(std::move(name), factory);
  return {};
}

Result<std::shared_ptr<registry::Registry>> Plugins::make_registry(std::string_view name, const RegistryConfig& config) const {
  if (name == kMulti) return make_multi(config);
  for (const auto& [known, factory] : registries_) {
    if (known == name) return factory(config);
  }
  return fail(invalid_argument("unknown registry \"" + std::string(name) + "\"; this program has " + registry_names() +
                               " (--registry, MICRO_REGISTRY)"));
}

std::string Plugins::registry_names() const {
  std::string names;
  for (const auto& entry : registries_) names += (names.empty() ? "" : ", ") + entry.first;
  return names.append(", ").append(kMulti);
}

Result<std::shared_ptr<registry::Registry>> Plugins::make_multi(const RegistryConfig& config) const {
  if (!config.layout.empty()) {
    return fail(invalid_argument("multi registry: it has no layout of its own; give each registry its own: \"etcd+" +
                                 config.layout + "@...\" (--registry_address)"));
  }
  const auto parts = parse_multi(config.address);
  if (!parts) return fail(parts.error());
  std::vector<std::shared_ptr<registry::Registry>> registries;
  for (const MultiPart& part : *parts) {
    auto made = make_registry(part.name, part.config);
    if (!made) return fail(std::move(made.error()).with_context("multi registry"));
    registries.push_back(std::move(*made));
  }
  return std::make_shared<registry::Multi>(std::move(registries));
}

}  // namespace micro
