#include "endpoint_table.hpp"

#include <algorithm>

#include <micro/mucp/head.hpp>

namespace micro::rpc {
namespace {

bool is_builtin(const Endpoint& endpoint) { return endpoint.service.starts_with("grpc."); }

bool is_version(std::string_view part) noexcept {
  return part.size() >= 2 && part[0] == 'v' && part[1] >= '0' && part[1] <= '9' &&
         std::ranges::all_of(part, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// The part of a package that is a version, as in "shop.v1.Orders"; empty without one.
std::string_view version_of(std::string_view service) noexcept {
  std::string_view found;
  for (std::size_t dot = service.find('.'); dot != std::string_view::npos; dot = service.find('.')) {
    if (const std::string_view part = service.substr(0, dot); is_version(part)) found = part;
    service.remove_prefix(dot + 1);
  }
  return found;
}

}  // namespace

Result<void> EndpointTable::add(std::shared_ptr<Handler> handler) {
  std::vector<Endpoint> added = handler->endpoints();
  for (const Endpoint& endpoint : added) {
    const auto same = [&](const Endpoint& other) { return other.service == endpoint.service && other.method == endpoint.method; };
    if (std::ranges::any_of(endpoints_, same)) {
      return fail(already_exists("method " + endpoint.path() + " has a handler already; give each service one handler"));
    }
  }
  for (std::size_t i = 0; i < added.size(); ++i) {
    const Endpoint& endpoint = added[i];
    for (const HttpBinding& http : endpoint.http) {
      Result<void> bound =
          bindings_.add(endpoint.service + "/" + endpoint.method, {http.method, http.path, http.body, http.response_body},
                        *endpoint.request_type, *endpoint.reply_type, endpoints_.size() + i);
      if (!bound) return bound;
    }
  }
  std::ranges::move(added, std::back_inserter(endpoints_));
  handlers_.push_back(std::move(handler));
  return {};
}

void EndpointTable::build() {
  by_path_.clear();
  by_name_.clear();
  for (const Endpoint& endpoint : endpoints_) {
    by_path_.emplace(endpoint.path(), &endpoint);
    if (is_builtin(endpoint)) continue;
    const auto [entry, added] = by_name_.emplace(endpoint.name(), &endpoint);
    if (!added) entry->second = nullptr;
  }
  // Those of every server give way to the user's.
  for (const Endpoint& endpoint : endpoints_) {
    if (is_builtin(endpoint)) by_name_.emplace(endpoint.name(), &endpoint);
  }
}

const Endpoint* EndpointTable::find_name(std::string_view name) const noexcept {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

const Endpoint* EndpointTable::find_any_package(std::string_view path) const noexcept {
  const std::size_t slash = path.rfind('/');
  if (!path.starts_with('/') || slash == 0 || slash == std::string_view::npos) return nullptr;
  const std::string_view service = path.substr(1, slash - 1);
  const std::size_t dot = service.rfind('.');
  std::string name(dot == std::string_view::npos ? service : service.substr(dot + 1));
  const Endpoint* const found = find_name(name.append(1, '.').append(path.substr(slash + 1)));
  if (found == nullptr || dot == std::string_view::npos) return found;
  const std::string_view version = version_of(service);
  return version.empty() || version == version_of(found->service) ? found : nullptr;
}

const Endpoint* EndpointTable::find(std::string_view path) const noexcept {
  const auto it = by_path_.find(path);
  return it == by_path_.end() ? nullptr : it->second;
}

const Endpoint* EndpointTable::find(std::string_view path, Hint& hint) const noexcept {
  if (hint.endpoint != nullptr && hint.path == path) return hint.endpoint;
  const auto it = by_path_.find(path);
  if (it == by_path_.end()) return nullptr;
  hint = {it->first, it->second};
  return it->second;
}

Error EndpointTable::unknown(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  const std::string_view service = slash == std::string_view::npos || slash == 0 ? std::string_view{} : path.substr(1, slash - 1);
  std::string known;
  bool has_service = false;
  for (const Endpoint& endpoint : endpoints_) {
    if (endpoint.service != service) continue;
    has_service = true;
    known += (known.empty() ? "" : ", ") + endpoint.method;
  }
  if (has_service) {
    return unimplemented("unknown method " + std::string(path.substr(slash + 1)) + " of service " + std::string(service) +
                         "; it has " + known);
  }
  return unimplemented("unknown service " + std::string(service.empty() ? path : service) + " on this server");
}

Error EndpointTable::unknown_name(std::string_view name) const {
  const auto parsed = mucp::parse_endpoint(name);
  if (!parsed) return invalid_argument("rpc: service/endpoint request ill-formed: " + std::string(name));
  if (by_name_.contains(name)) {
    std::string packages;
    for (const Endpoint& endpoint : endpoints_) {
      if (endpoint.name() == name) packages += (packages.empty() ? "" : ", ") + endpoint.path();
    }
    return unimplemented("rpc: can't find service " + std::string(parsed->service) + ": several have the name: " + packages +
                         "; call it by gRPC");
  }
  const std::string prefix = std::string(parsed->service) + ".";
  const bool has_service = std::ranges::any_of(by_name_, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  return unimplemented(has_service ? "rpc: can't find method " + std::string(parsed->method)
                                   : "rpc: can't find service " + std::string(parsed->service));
}

}  // namespace micro::rpc
