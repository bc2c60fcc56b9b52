// URIs, addresses, query strings: what is read is written and read again as the same.
#include <micro/uri/uri.hpp>

#include "fuzz.hpp"

namespace {

using micro::fuzz::require;
using micro::fuzz::require_equal;

void check_uri(std::string_view input) {
  const auto uri = micro::Uri::parse(input);
  if (!uri) return;
  const std::string text = uri->to_string();
  const auto again = micro::Uri::parse(text);
  require(again.has_value(), "a URI that was written cannot be read: " + text);
  require_equal(uri->scheme, again->scheme, "scheme");
  require_equal(uri->userinfo, again->userinfo, "userinfo");
  require_equal(uri->host, again->host, "host");
  require(uri->port == again->port && uri->has_authority == again->has_authority, "port or authority changed: " + text);
  require_equal(uri->path, again->path, "path");
  require_equal(uri->query, again->query, "query");
  require_equal(uri->fragment, again->fragment, "fragment");
  require_equal(text, again->to_string(), "the text of a URI is not stable");
}

}  // namespace

MICRO_FUZZ_TARGET(uri) {
  check_uri(input);
  if (const auto address = micro::Address::parse(input)) {
    const auto again = micro::Address::parse(address->to_string());
    require(again && *again == *address, "an address changes when it is written and read again: " + address->to_string());
  }
  const auto decoded = micro::percent_decode(micro::percent_encode(input));
  require(decoded.has_value(), "what was percent-encoded cannot be decoded");
  require_equal(*decoded, input, "percent-encoding loses something");
  (void)micro::percent_decode(input, true);
  if (const auto pairs = micro::parse_query(input)) {
    std::string text;
    for (const auto& [name, value] : *pairs) {
      text.append(text.empty() ? "" : "&").append(micro::percent_encode(name)).append("=").append(micro::percent_encode(value));
    }
    const auto again = micro::parse_query(text);
    require(again && *again == *pairs, "a query changes when it is written and read again: " + text);
  }
}
