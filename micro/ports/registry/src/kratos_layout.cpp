#include <micro/uri/uri.hpp>

#include "layouts.hpp"
#include "record_json.hpp"

namespace micro::registry {
namespace {

// What rpc calls rpc::kTlsProperty.
constexpr std::string_view kTls = "tls";
constexpr std::string_view kProtocol = "protocol";

// One of an instance's endpoints: "grpc://10.0.0.7:9000", "grpc://10.0.0.7:9000?isSecure=true", "https://10.0.0.7:8000".
struct KratosEndpoint {
  std::string protocol;
  std::string address;
  bool secure = false;
};

std::optional<KratosEndpoint> parse_endpoint(const std::string& text) {
  const Result<Uri> uri = Uri::parse(text);
  if (!uri || uri->host.empty() || !uri->port) return std::nullopt;
  KratosEndpoint endpoint{.protocol = uri->scheme, .address = Address{.host = uri->host, .port = *uri->port}.to_string()};
  if (uri->scheme == "grpcs" || uri->scheme == "https") {
    endpoint.protocol.pop_back();
    endpoint.secure = true;
  }
  for (const auto& [key, value] : parse_query(uri->query).value_or(std::vector<std::pair<std::string, std::string>>{})) {
    if (key == "isSecure") endpoint.secure |= value == "true" || value == "1";
  }
  return endpoint;
}

std::string text_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class KratosLayout final : public Layout {
 public:
  explicit KratosLayout(std::string root) : root_(root.empty() ? "/microservices" : std::move(root)) {}

  std::string_view name() const noexcept override { return "kratos"; }
  std::string_view loses() const noexcept override { return "the descriptions of methods and the metadata of the service"; }

  std::string prefix(std::string_view service) const override {
    return service.empty() ? root_ + "/" : root_ + "/" + std::string(service) + "/";
  }
  std::string key(std::string_view service, const Node& node, std::int64_t) const override { return prefix(service) + node.id; }

  Result<std::string> encode(const Service& record) const override {
    const Node& node = record.nodes.front();
    const Result<Address> address = Address::parse(node.address);
    if (!address || address->is_unix() || address->host.empty() || address->port == 0) {
      return fail(cannot_carry(name(), record, "\"" + node.address + "\" is no host with a port"));
    }
    const bool secure = property(node.metadata, kTls) == "true";
    nlohmann::ordered_json metadata = nlohmann::ordered_json::object();
    for (const auto& [key, value] : node.metadata) {
      if (key != kTls && key != kHttpAddressProperty) metadata[key] = value;
    }
    const std::string http(property(node.metadata, kHttpAddressProperty, node.address));
    const auto endpoints = nlohmann::ordered_json::array(
        {(secure ? "grpcs://" : "grpc://") + node.address, (secure ? "https://" : "http://") + http});
    return dump({{"id", node.id},
                 {"name", record.name},
                 {"version", record.version},
                 {"metadata", std::move(metadata)},
                 {"endpoints", endpoints}});
  }

  Result<std::optional<Service>> decode(std::string_view key, std::string_view value) const override {
    if (!key.starts_with(prefix({}))) return std::optional<Service>();
    const Result<nlohmann::json> instance = parse(value, "it");
    if (!instance) return fail(malformed(name(), key, instance.error().message()));
    if (!instance->is_object()) return fail(malformed(name(), key, "it is no JSON object"));
    Service service{.name = text_of(*instance, "name"), .version = text_of(*instance, "version")};
    Node node{.id = text_of(*instance, "id")};
    if (service.name.empty() || node.id.empty()) return fail(malformed(name(), key, "it has no id or no name"));
    if (const auto found = instance->find("metadata"); found != instance->end() && found->is_object()) {
      for (const auto& [label, text] : found->items()) {
        if (text.is_string()) node.metadata.emplace_back(label, text.get<std::string>());
      }
    }
    if (!add_endpoints(*instance, node)) return fail(malformed(name(), key, "none of its endpoints has a host and a port"));
    service.nodes.push_back(std::move(node));
    return std::optional<Service>(std::move(service));
  }

 private:
  // The gRPC endpoint when there is one, as we call that way; else the first.
  static bool add_endpoints(const nlohmann::json& instance, Node& node) {
    std::optional<KratosEndpoint> chosen;
    std::optional<KratosEndpoint> http;
    const auto listed = instance.find("endpoints");
    if (listed == instance.end() || !listed->is_array()) return false;
    for (const auto& text : *listed) {
      if (!text.is_string()) continue;
      std::optional<KratosEndpoint> endpoint = parse_endpoint(text.get<std::string>());
      if (!endpoint) continue;
      if (endpoint->protocol == "http" && !http) http = endpoint;
      if (!chosen || (endpoint->protocol == "grpc" && chosen->protocol != "grpc")) chosen = std::move(endpoint);
    }
    if (!chosen) return false;
    node.address = chosen->address;
    if (property(node.metadata, kProtocol).empty()) set_property(node.metadata, kProtocol, chosen->protocol);
    if (chosen->secure) set_property(node.metadata, kTls, "true");
    if (http && http->address != node.address) set_property(node.metadata, kHttpAddressProperty, http->address);
    return true;
  }

  const std::string root_;
};

}  // namespace

std::shared_ptr<const Layout> make_kratos_layout(std::string root) { return std::make_shared<KratosLayout>(std::move(root)); }

}  // namespace micro::registry
