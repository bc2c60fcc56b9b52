#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/error/error.hpp>

namespace micro {

// A parsed URI (RFC 3986): scheme://userinfo@host:port/path?query#fragment. Components are percent-decoded except path and
// query, which keep their encoding because decoding them whole would lose their separators.
struct Uri {
  std::string scheme;  // lower case; empty when absent
  std::string userinfo;
  std::string host;  // without the brackets of an IPv6 literal
  std::optional<std::uint16_t> port;
  std::string path;   // still encoded
  std::string query;  // still encoded, without '?'
  std::string fragment;
  bool has_authority = false;

  // Fails with INVALID_ARGUMENT that names the text, the offending part and its position.
  static Result<Uri> parse(std::string_view text);
  std::string to_string() const;
};

// A network address as programs take it from flags: "host:port", ":port", "[::1]:port", "unix:/path".
struct Address {
  std::string host;        // empty: all interfaces when listening
  std::uint16_t port = 0;  // 0: any free one when listening
  std::string unix_path;   // set for Unix sockets, then host and port are unused

  static Result<Address> parse(std::string_view text);
  std::string to_string() const;
  bool is_unix() const noexcept { return !unix_path.empty(); }
  friend bool operator==(const Address&, const Address&) = default;
};

// Percent-encodes everything but RFC 3986's unreserved characters.
std::string percent_encode(std::string_view text);
// Decodes %XX; fails on a broken escape. `plus_as_space` is for query strings of forms.
Result<std::string> percent_decode(std::string_view text, bool plus_as_space = false);

// "a=1&b=2&b=3" as decoded pairs, in order.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

}  // namespace micro
