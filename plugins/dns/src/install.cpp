#include <micro/dns/install.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <micro/dns/registry.hpp>
#include <micro/plugin/plugins.hpp>
#include <micro/uri/uri.hpp>

namespace micro::dns {
namespace {

Error wrong(const std::string& address, std::size_t position, const std::string& why) {
  return invalid_argument("dns registry \"" + address + "\": at position " + std::to_string(position) + ": " + why +
                          "; write for example \"domain=example.org,server=10.0.0.2:53\" (--registry_address)");
}

Result<Registry::Options> parse(const std::string& address) {
  Registry::Options options;
  for (std::size_t begin = 0; begin < address.size();) {
    const std::size_t end = std::min(address.find(',', begin), address.size());
    const std::string piece = address.substr(begin, end - begin);
    const std::size_t equals = piece.find('=');
    if (equals == std::string::npos) return fail(wrong(address, begin, "\"" + piece + "\" is no key=value"));
    const std::string key = piece.substr(0, equals);
    std::string value = piece.substr(equals + 1);
    if (key == "domain") {
      options.domain = std::move(value);
    } else if (key == "prefix") {
      options.prefix = std::move(value);
    } else if (key == "server") {
      options.servers.push_back(std::move(value));
    } else if (key == "port") {
      const auto port = Address::parse(":" + value);
      if (!port || port->port == 0) return fail(wrong(address, begin, "\"" + value + "\" is no port from 1 to 65535"));
      options.port = port->port;
    } else {
      return fail(wrong(address, begin, "\"" + key + "\" is none of domain, prefix, port, server"));
    }
    begin = end + 1;
  }
  return options;
}

Result<std::shared_ptr<registry::Registry>> make(const RegistryConfig& config) {
  if (!config.layout.empty()) {
    return fail(
        invalid_argument("the registry \"dns\" has one layout only, not \"" + config.layout + "\": leave --registry_layout out"));
  }
  auto options = parse(config.address);
  if (!options) return fail(std::move(options.error()));
  return Registry::make(std::move(*options));
}

}  // namespace

void install(Plugins& plugins) {
  if (auto added = plugins.add_registry("dns", make); !added) throw std::logic_error(added.error().message());
}

}  // namespace micro::dns
