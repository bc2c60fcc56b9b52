#include <utility>

#include <micro/plugin/plugins.hpp>
#include <micro/uri/uri.hpp>
#include <micro/zookeeper/registry.hpp>

#include "paths.hpp"
#include "servers.hpp"

namespace micro::zookeeper {
namespace {

constexpr std::string_view kPort = "2181";
constexpr std::string_view kGoMicroRoot = "/micro-registry";

Error unusable(const std::string& server, std::string_view why) {
  return invalid_argument("the ZooKeeper server \"" + server + "\" cannot be used: " + std::string(why) +
                          "; write 10.0.0.1:2181,10.0.0.2:2181");
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

Result<std::vector<std::string>> check_servers(const std::vector<std::string>& servers) {
  std::vector<std::string> checked;
  for (const std::string& server : servers) {
    if (server.contains('/'))
      return fail(unusable(server, "a path is no part of it, --registry_layout go-micro:/path says where"));
    const bool has_port = server.rfind(':') != server.npos && (!server.starts_with('[') || !server.ends_with(']'));
    const Result<Address> address = Address::parse(has_port ? server : server + ":" + std::string(kPort));
    if (!address) return fail(unusable(server, address.error().message()));
    if (address->is_unix() || address->host.empty() || address->port == 0)
      return fail(unusable(server, "it needs a host and a port"));
    checked.push_back(address->to_string());
  }
  if (checked.empty()) return fail(invalid_argument("no ZooKeeper server is given; write 10.0.0.1:2181,10.0.0.2:2181"));
  return checked;
}

Result<Options> make_options(const RegistryConfig& config, Environment environment) {
  Options options;
  if (!config.address.empty()) options.servers = split_list(config.address);
  if (auto servers = check_servers(options.servers); !servers) return fail(std::move(servers.error()));
  const bool usual = config.layout.empty() || config.layout == "go-micro";
  auto layout = registry::make_layout(usual ? "go-micro:" + std::string(kGoMicroRoot) : config.layout);
  if (!layout) return fail(std::move(layout.error()));
  if (auto paths = Paths::make(*layout); !paths) return fail(std::move(paths.error()));
  options.layout = std::move(*layout);
  options.username = environment("ZOOKEEPER_USERNAME").value_or(std::string());
  options.password = environment("ZOOKEEPER_PASSWORD").value_or(std::string());
  if (options.username.empty() != options.password.empty()) {
    return fail(invalid_argument("ZOOKEEPER_USERNAME and ZOOKEEPER_PASSWORD belong together: one of them is not set"));
  }
  return options;
}

}  // namespace micro::zookeeper
