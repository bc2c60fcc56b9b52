#include "cross_origin.hpp"

#include <cstddef>
#include <string>

#include <micro/http/error.hpp>
#include <micro/http/status.hpp>
#include <micro/mucp/head.hpp>

namespace micro::rpc {
namespace {

// Of a header that an error repeats.
constexpr std::size_t kShown = 128;

struct Authority {
  std::string_view host;
  std::string_view port;
};

Authority split(std::string_view text) noexcept {
  const std::size_t colon = text.rfind(':');
  // An IPv6 address has its colons in brackets.
  if (colon == std::string_view::npos || text.find(']', colon) != std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string_view default_port(std::string_view scheme) noexcept {
  if (equals_ignore_case(scheme, "https")) return "443";
  if (equals_ignore_case(scheme, "http")) return "80";
  return {};
}

bool names_message(std::string_view name) noexcept {
  if (name.size() > mucp::kTwinPrefix.size() && equals_ignore_case(name.substr(0, 2), mucp::kTwinPrefix)) name.remove_prefix(2);
  return equals_ignore_case(name, mucp::kEndpoint) || equals_ignore_case(name, mucp::kMethod) ||
         equals_ignore_case(name, mucp::kTopic);
}

void take(std::string_view& field, const Metadata::Entry& entry, std::string_view name) noexcept {
  if (field.data() == nullptr && equals_ignore_case(entry.key, name)) field = entry.value;
}

}  // namespace

DispatchFields::DispatchFields(const Metadata& headers) noexcept : all_(headers) {
  for (const Metadata::Entry entry : headers) {
    if (!entry.key.empty() && !entry.value.empty() && !micro) {
      const char first = static_cast<char>(entry.key.front() | 0x20);
      if (first == 'm' || first == 'x') micro = names_message(entry.key);
    }
    switch (entry.key.size()) {
      case 6:
        take(origin, entry, "origin");
        break;
      case 12:
        take(content_type, entry, "content-type");
        break;
      case 14:
        take(fetch_site, entry, "sec-fetch-site");
        break;
      default:
        break;
    }
  }
}

bool is_cross_origin(const DispatchFields& fields) noexcept {
  if (!fields.fetch_site.empty()) return fields.fetch_site != "same-origin" && fields.fetch_site != "none";
  return !fields.origin.empty() && !is_origin_of(fields.origin, fields.host());
}

bool is_origin_of(std::string_view origin, std::string_view host) noexcept {
  const std::size_t colon = origin.find("://");
  if (colon == std::string_view::npos) return false;  // "null"
  // Host says nothing of a scheme, and a proxy may have taken TLS off: the port a host goes without is the origin's.
  const std::string_view usual_port = default_port(origin.substr(0, colon));
  if (usual_port.empty()) return false;
  const auto [page_host, page_port] = split(origin.substr(colon + 3));
  const auto [our_host, our_port] = split(host);
  if (our_host.empty() || !equals_ignore_case(page_host, our_host)) return false;
  return (page_port.empty() ? usual_port : page_port) == (our_port.empty() ? usual_port : our_port);
}

Error cross_origin_error(const DispatchFields& fields, std::string_view list) {
  const auto shown = [](std::string_view value) { return std::string(value.substr(0, kShown)); };
  std::string message = "the request is refused because a page of another site sent it: ";
  if (!fields.fetch_site.empty()) {
    message += "Sec-Fetch-Site is " + shown(fields.fetch_site);
    message += fields.origin.empty() ? ", and there is no Origin" : ", and Origin " + shown(fields.origin);
  } else {
    message += "Origin is " + shown(fields.origin) + ", but Host " + shown(fields.host());
    message += "; a proxy in between has to pass Host on as it came";
  }
  message.append("; to let pages of an origin call, add it to ").append(list);
  return http::error_with_status(http::status::kForbidden, "CROSS_ORIGIN", std::move(message));
}

}  // namespace micro::rpc
