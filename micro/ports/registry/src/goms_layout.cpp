#include <algorithm>
#include <cstdint>

#include <micro/uri/uri.hpp>

#include "layouts.hpp"

namespace micro::registry {
namespace {

constexpr std::string_view kValue = "0";

struct HostPort {
  std::string_view host;
  std::string_view port;
};

// "10.0.0.7:9181"; these keys have no way to write an IPv6 address.
std::optional<HostPort> split(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const HostPort parts{.host = text.substr(0, colon), .port = text.substr(colon + 1)};
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (parts.port.empty() || parts.port.size() > 5 || !std::ranges::all_of(parts.port, is_digit)) return std::nullopt;
  return parts;
}

struct Place {
  std::string rpc;
  std::string http;
};

// The last part of a key of the later form: "10.0.0.7:9081:9181", host, HTTP port, RPC port.
std::optional<Place> parse_later(std::string_view text) {
  const auto rpc = split(text);
  if (!rpc) return std::nullopt;
  const auto http = split(rpc->host);
  if (!http || http->host.contains(':')) return std::nullopt;
  const std::string host(http->host);
  return Place{.rpc = host + ":" + std::string(rpc->port), .http = host + ":" + std::string(http->port)};
}

// goms keeps all it knows in the key: what names a node is its two addresses. `later`: the form its keys got when it had become
// go-garden. Both forms are read.
class GomsLayout final : public Layout {
 public:
  GomsLayout(std::string_view name, std::string project, bool later) : name_(name), project_(std::move(project)), later_(later) {}

  std::string_view name() const noexcept override { return name_; }
  std::string_view loses() const noexcept override {
    return "the version, all metadata, the descriptions of methods and node ids";
  }

  std::string prefix(std::string_view service) const override {
    return service.empty() ? project_ + "_" : project_ + "_" + std::string(service) + "_";
  }

  std::string key(std::string_view service, const Node& node, std::int64_t) const override {
    if (node.address.empty()) return prefix(service) + node.id;
    const std::string http(property(node.metadata, kHttpAddressProperty, node.address));
    if (!later_) return prefix(service) + node.address + "_" + http;
    const auto rpc_parts = split(node.address);
    const auto http_parts = split(http);
    if (!rpc_parts || !http_parts) return prefix(service) + node.id;
    std::string key = prefix(service);
    return key.append(rpc_parts->host).append(":").append(http_parts->port).append(":").append(rpc_parts->port);
  }

  Result<std::string> encode(const Service& record) const override {
    const Node& node = record.nodes.front();
    if (record.name.contains('_')) return fail(cannot_carry(name_, record, "a '_' in the name would end it for goms"));
    const std::string http(property(node.metadata, kHttpAddressProperty, node.address));
    for (const std::string& address : {node.address, http}) {
      const auto parts = split(address);
      if (!parts || parts->host.find_first_of(":_") != std::string_view::npos) {
        return fail(cannot_carry(name_, record, "\"" + address + "\" is no IPv4 address or name with a port"));
      }
    }
    if (later_ && split(http)->host != split(node.address)->host) {
      return fail(cannot_carry(name_, record, "its two addresses are on different hosts"));
    }
    return std::string(kValue);
  }

  Result<std::optional<Service>> decode(std::string_view key, std::string_view) const override {
    const std::string begin = prefix({});
    if (!key.starts_with(begin)) return std::optional<Service>();
    const std::string_view rest = key.substr(begin.size());
    const std::size_t last = rest.rfind('_');
    if (last == std::string_view::npos || last == 0) return fail(malformed(name_, key, "the key has no address"));
    if (const auto place = parse_later(rest.substr(last + 1))) return record(rest.substr(0, last), rest.substr(last + 1), *place);
    const std::size_t before = rest.rfind('_', last - 1);
    if (before == std::string_view::npos || before == 0) return fail(malformed(name_, key, "the key has not two addresses"));
    const std::string_view rpc = rest.substr(before + 1, last - before - 1);
    const std::string_view http = rest.substr(last + 1);
    if (!split(rpc) || !split(http)) return fail(malformed(name_, key, "the key does not end with ip:port_ip:port"));
    return record(rest.substr(0, before), rest.substr(before + 1), {.rpc = std::string(rpc), .http = std::string(http)});
  }

 private:
  static std::optional<Service> record(std::string_view service, std::string_view id, Place place) {
    Node node{.id = std::string(id), .address = std::move(place.rpc)};
    node.metadata.emplace_back(kHttpAddressProperty, std::move(place.http));
    return Service{.name = std::string(service), .nodes = {std::move(node)}};
  }

  const std::string_view name_;
  const std::string project_;
  const bool later_;
};

}  // namespace

std::shared_ptr<const Layout> make_goms_layout(std::string project) {
  return std::make_shared<GomsLayout>("goms", project.empty() ? "goms" : std::move(project), false);
}

std::shared_ptr<const Layout> make_go_garden_layout(std::string project) {
  return std::make_shared<GomsLayout>("go-garden", project.empty() ? "garden" : std::move(project), true);
}

}  // namespace micro::registry
