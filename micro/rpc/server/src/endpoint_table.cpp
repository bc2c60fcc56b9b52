#include "endpoint_table.hpp"

#include <algorithm>

namespace micro::rpc {

Result<void> EndpointTable::add(std::shared_ptr<Handler> handler) {
  std::vector<Endpoint> added = handler->endpoints();
  for (const Endpoint& endpoint : added) {
    const auto same = [&](const Endpoint& other) { return other.service == endpoint.service && other.method == endpoint.method; };
    if (std::ranges::any_of(endpoints_, same)) {
      return fail(already_exists("method " + endpoint.path() + " has a handler already; give each service one handler"));
    }
  }
  std::ranges::move(added, std::back_inserter(endpoints_));
  handlers_.push_back(std::move(handler));
  return {};
}

void EndpointTable::build() {
  by_path_.clear();
  for (const Endpoint& endpoint : endpoints_) by_path_.emplace(endpoint.path(), &endpoint);
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

}  // namespace micro::rpc
