#include <utility>

#include <micro/etcd/registry.hpp>
#include <micro/plugin/plugins.hpp>
#include <micro/uri/uri.hpp>

#include "endpoints.hpp"

namespace micro::etcd {
namespace {

constexpr std::uint16_t kDefaultPort = 2379;

Error unusable(const std::string& endpoint, std::string_view why) {
  return invalid_argument("the etcd endpoint \"" + endpoint + "\" cannot be used: " + std::string(why) +
                          "; write 10.0.0.1:2379 or https://etcd.example:2379");
}

// The address without its scheme, and whether that was https.
Result<std::pair<std::string, bool>> parse_endpoint(const std::string& text) {
  if (text.starts_with("unix:")) return std::pair(text, false);
  const bool has_scheme = text.contains("://");
  const Result<Uri> uri = Uri::parse(has_scheme ? text : "http://" + text);
  if (!uri) return fail(unusable(text, uri.error().message()));
  if (uri->scheme != "http" && uri->scheme != "https") return fail(unusable(text, "it is neither http nor https"));
  if (uri->host.empty()) return fail(unusable(text, "it has no host"));
  // Also because what is before an @ is a password as a rule, and messages show endpoints.
  if (!uri->userinfo.empty())
    return fail(invalid_argument("an etcd endpoint has a user before its host: set ETCD_USERNAME and ETCD_PASSWORD instead"));
  if ((!uri->path.empty() && uri->path != "/") || !uri->query.empty()) return fail(unusable(text, "something follows the port"));
  const Address address{.host = uri->host, .port = uri->port.value_or(kDefaultPort)};
  return std::pair(address.to_string(), uri->scheme == "https");
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined.append(joined.empty() ? "" : ",").append(text);
  return joined;
}

Result<Endpoints> parse_endpoints(const std::vector<std::string>& texts) {
  if (texts.empty()) return fail(invalid_argument("no etcd endpoint is given: --registry_address 10.0.0.1:2379,10.0.0.2:2379"));
  Endpoints endpoints;
  bool plain = false;
  for (const std::string& text : texts) {
    auto parsed = parse_endpoint(text);
    if (!parsed) return fail(std::move(parsed.error()));
    endpoints.addresses.push_back(std::move(parsed->first));
    endpoints.tls |= parsed->second;
    plain |= text.starts_with("http://");
  }
  if (endpoints.tls && plain) {
    return fail(
        invalid_argument("some of the etcd endpoints " + join(texts) + " are https and some http: all must be one of them"));
  }
  return endpoints;
}

Result<Options> make_options(const RegistryConfig& config, Environment environment) {
  Options options;
  if (!config.address.empty()) options.endpoints = split_list(config.address);
  if (auto endpoints = parse_endpoints(options.endpoints); !endpoints) return fail(std::move(endpoints.error()));
  auto layout = registry::make_layout(config.layout);
  if (!layout) return fail(std::move(layout.error()));
  options.layout = std::move(*layout);
  const auto read = [&](const char* name) { return environment(name).value_or(std::string()); };
  options.username = read("ETCD_USERNAME");
  options.password = read("ETCD_PASSWORD");
  // As go-micro has it: half of them says nothing.
  if (options.username.empty() || options.password.empty()) options.username = options.password = {};
  options.ca = read("ETCD_CACERT");
  options.certificate = read("ETCD_CERT");
  options.key = read("ETCD_KEY");
  if (options.certificate.empty() != options.key.empty()) {
    return fail(invalid_argument("ETCD_CERT and ETCD_KEY belong together: one of them is not set"));
  }
  return options;
}

}  // namespace micro::etcd
