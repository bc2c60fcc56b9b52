#include <micro/mdns/install.hpp>

#include <stdexcept>

#include <micro/mdns/registry.hpp>
#include <micro/plugin/plugins.hpp>
#include <micro/uri/uri.hpp>

namespace micro::mdns {
namespace {

Result<std::shared_ptr<registry::Registry>> make(const RegistryConfig& config) {
  if (!config.layout.empty()) {
    return fail(invalid_argument("the registry \"mdns\" has go-micro's layout only, not \"" + config.layout +
                                 "\": leave --registry_layout out"));
  }
  Registry::Options options;
  if (!config.address.empty()) {
    const auto group = Address::parse(config.address);
    if (!group || group->port == 0 || group->host.empty()) {
      return fail(
          invalid_argument("mdns registry: \"" + config.address +
                           "\" is no group and port; write for example 239.255.0.1:5454, or leave --registry_address out"));
    }
    const bool six = group->host.contains(':');
    options.group_four = six ? "" : group->host;
    options.group_six = six ? group->host : "";
    options.port = group->port;
  }
  return std::make_shared<Registry>(options);
}

}  // namespace

void install(Plugins& plugins) {
  if (auto added = plugins.add_registry("mdns", make); !added) throw std::logic_error(added.error().message());
}

}  // namespace micro::mdns
