#include <algorithm>

#include <micro/uri/uri.hpp>

#include "grammar.hpp"

namespace micro {
namespace {

// sizeof(sockaddr_un::sun_path) less the terminating zero.
constexpr std::size_t kLongestUnixPath = 107;

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  std::string message = "cannot parse address \"";
  message.append(text).append("\": ").append(why);
  return fail(invalid_argument(std::move(message)));
}

Result<Address> parse_unix(std::string_view text, std::string_view path) {
  if (path.starts_with("///")) path.remove_prefix(2);  // the form of a URI: unix:///path
  if (path.starts_with("//")) return bad(text, "the path of a Unix socket must be absolute after \"//\"; write \"unix:///path\"");
  if (path.empty()) return bad(text, "the path of the Unix socket is missing; write \"unix:/path\"");
  if (path.contains('\0')) return bad(text, "the path of the Unix socket holds a zero byte");
  if (path.size() > kLongestUnixPath) return bad(text, "the path of a Unix socket can have at most 107 bytes");
  return Address{.host = {}, .port = 0, .unix_path = std::string(path)};
}

// "fe80::1%eth0": link-local addresses need the interface they are on (RFC 4007, section 11).
bool is_ipv6_with_zone(std::string_view text) noexcept {
  const std::size_t percent = std::min(text.find('%'), text.size());
  const std::string_view zone = text.substr(percent);
  const auto allowed = [](char c) { return uri::is_in(c, uri::kUnreserved); };
  return uri::is_ipv6(text.substr(0, percent)) && zone.size() != 1 &&
         std::ranges::all_of(zone.substr(zone.empty() ? 0 : 1), allowed);
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text, text.substr(5));
  if (text.empty()) return bad(text, "it is empty; write \"host:port\", \":port\", \"[::1]:port\" or \"unix:/path\"");
  std::string_view host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return bad(text, "'[' without ']'");
    host = text.substr(1, end - 1);
    if (!is_ipv6_with_zone(host)) return bad(text, "no IPv6 address between the brackets");
    rest = text.substr(end + 1);
  } else {
    host = text.substr(0, text.find(':'));
    rest = text.substr(host.size());
    if (rest.find(':', 1) != rest.npos) return bad(text, "more than one ':'; an IPv6 address goes in brackets, \"[::1]:8080\"");
    for (const char c : host) {
      if (!uri::is_in(c, uri::kUnreserved)) return bad(text, "a host name cannot hold " + uri::describe(c));
    }
  }
  if (rest.size() <= 1)
    return bad(text,
               "the port is missing; write for example \"" + std::string(text.substr(0, text.size() - rest.size())) + ":8080\"");
  if (rest.front() != ':') return bad(text, "expected ':' and a port after ']'");
  const auto port = uri::parse_port(rest.substr(1));
  if (!port) return bad(text, "the port \"" + std::string(rest.substr(1)) + "\" is not a number from 0 to 65535");
  return Address{.host = std::string(host), .port = *port, .unix_path = {}};
}

std::string Address::to_string() const {
  if (is_unix()) return "unix:" + unix_path;
  std::string out = host.contains(':') ? "[" + host + "]" : host;
  return out.append(":").append(std::to_string(port));
}

}  // namespace micro
