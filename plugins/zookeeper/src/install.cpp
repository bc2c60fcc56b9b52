#include <micro/zookeeper/install.hpp>

#include <cstdlib>
#include <stdexcept>

#include <micro/plugin/plugins.hpp>
#include <micro/zookeeper/registry.hpp>

namespace micro::zookeeper {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<std::shared_ptr<registry::Registry>> make_registry(const RegistryConfig& config) {
  Result<Options> options = make_options(config, variable);
  if (!options) return fail(std::move(options.error()));
  return Registry::make(std::move(*options));
}

}  // namespace

void install(Plugins& plugins) {
  if (const Result<void> added = plugins.add_registry("zookeeper", make_registry); !added) {
    throw std::logic_error(added.error().message());
  }
}

}  // namespace micro::zookeeper
