#include "target.hpp"

#include <utility>

#include <micro/uri/uri.hpp>

namespace micro::client {
namespace {

constexpr std::string_view kDiscovery = "discovery:///";
constexpr std::string_view kDirect = "direct:///";
constexpr std::string_view kUnix = "unix:";

Error bad(std::string_view text, std::string_view why) {
  std::string message = "\"";
  message.append(text).append("\" is no target: ").append(why);
  message.append("; known forms are a name in the registry, discovery:///name, direct:///host:port,host:port and unix:/path");
  return invalid_argument(std::move(message));
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  Target target;
  if (text.starts_with(kDiscovery)) {
    target.name = text.substr(kDiscovery.size());
    if (target.name.empty()) return fail(bad(text, "it names no service"));
    if (target.name.find_first_of("/:") != std::string::npos) return fail(bad(text, "a name has neither '/' nor ':'"));
    return target;
  }
  if (text.starts_with(kUnix)) {
    std::string_view path = text.substr(kUnix.size());
    if (path.starts_with("///")) path.remove_prefix(2);
    target.addresses.push_back(std::string(kUnix).append(path));
  } else if (text.starts_with(kDirect)) {
    for (std::string_view rest = text.substr(kDirect.size()); !rest.empty();) {
      const std::size_t comma = rest.find(',');
      if (comma != 0) target.addresses.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    if (target.addresses.empty()) return fail(bad(text, "it names no address"));
  } else {
    return fail(bad(text, "a name has no ':'"));
  }
  for (const std::string& address : target.addresses) {
    if (const Result<Address> parsed = Address::parse(address); !parsed) return fail(bad(text, parsed.error().message()));
  }
  return target;
}

std::string_view registry_name(std::string_view text) noexcept {
  return text.starts_with(kDiscovery) ? text.substr(kDiscovery.size()) : text;
}

}  // namespace micro::client
