#include <micro/web_client/target.hpp>

#include <algorithm>

namespace micro::web {
namespace {

Error bad(std::string_view url, std::string_view why) {
  return invalid_argument("'" + std::string(url) + "' is no address of a WebSocket or an event stream: " + std::string(why));
}

}  // namespace

Result<Target> Target::parse(std::string_view url) {
  Target target;
  if (!url.contains("://")) {
    // "unix:/run/x.sock/path" cannot be told from a socket of that name, so a Unix socket stands alone.
    const std::size_t slash = url.starts_with("unix:") ? url.size() : std::min(url.find('/'), url.size());
    auto address = Address::parse(url.substr(0, slash));
    if (!address) return fail(std::move(address.error()));
    target.address = std::move(*address);
    if (slash != url.size()) target.path = url.substr(slash);
    return target;
  }
  auto uri = Uri::parse(url);
  if (!uri) return fail(std::move(uri.error()));
  target.secure = uri->scheme == "wss" || uri->scheme == "https";
  if (!target.secure && uri->scheme != "ws" && uri->scheme != "http")
    return fail(bad(url, "the scheme must be ws, wss, http or https"));
  if (uri->host.empty()) return fail(bad(url, "it has no host"));
  if (!uri->userinfo.empty()) return fail(bad(url, "user information is not allowed; use an Authorization header"));
  if (!uri->fragment.empty()) return fail(bad(url, "a fragment is not allowed"));
  target.address.host = uri->host;
  target.address.port = uri->port.value_or(target.secure ? 443 : 80);
  if (!uri->path.empty()) target.path = uri->path;
  if (!uri->query.empty()) target.path += "?" + uri->query;
  if (!uri->port) target.host = uri->host.contains(':') ? "[" + uri->host + "]" : uri->host;
  return target;
}

}  // namespace micro::web
