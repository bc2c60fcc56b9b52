#include <micro/plugin/plugins.hpp>

#include <algorithm>

#include <micro/registry/local.hpp>
#include <micro/registry/memory.hpp>

namespace micro {

Plugins::Plugins() {
  registries_.emplace_back("local", [](const std::string& address) -> Result<std::shared_ptr<registry::Registry>> {
    registry::Local::Options options;
    options.directory = address;
    return std::make_shared<registry::Local>(std::move(options));
  });
  registries_.emplace_back("memory", [](const std::string&) -> Result<std::shared_ptr<registry::Registry>> {
    return std::make_shared<registry::Memory>();
  });
}

Result<void> Plugins::add_registry(std::string name, RegistryFactory factory) {
  if (std::ranges::find(registries_, name, &std::pair<std::string, RegistryFactory>::first) != registries_.end()) {
    return fail(already_exists("a registry called " + name + " is installed already"));
  }
  registries_.emplace_back(std::move(name), factory);
  return {};
}

Result<std::shared_ptr<registry::Registry>> Plugins::make_registry(std::string_view name, const std::string& address) const {
  for (const auto& [known, factory] : registries_) {
    if (known == name) return factory(address);
  }
  return fail(invalid_argument("unknown registry \"" + std::string(name) + "\"; this program has " + registry_names() +
                               " (--registry, MICRO_REGISTRY)"));
}

std::string Plugins::registry_names() const {
  std::string names;
  for (const auto& entry : registries_) names += (names.empty() ? "" : ", ") + entry.first;
  return names;
}

}  // namespace micro
