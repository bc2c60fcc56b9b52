// The way from HTTP/1.1 to HTTP/2 (RFC 7540, section 3.2).

#include <algorithm>
#include <utility>
#include <vector>

#include <micro/grpc/base64.hpp>
#include <micro/http/status.hpp>

#include "connection.hpp"
#include "http1_protocol.hpp"
#include "http2_protocol.hpp"

namespace micro::rpc {

// The request that asked is stream 1 of the HTTP/2 connection.
Result<void> Http1Protocol::upgrade_to_http2(std::string_view rest) {
  http1::RequestHead& head = parser_.head();
  std::string encoded(head.headers.get("http2-settings"));
  std::ranges::replace(encoded, '-', '+');
  std::ranges::replace(encoded, '_', '/');
  std::string settings;
  if (!grpc::base64_decode(encoded, settings)) return refuse(invalid_argument("HTTP2-Settings is not base64url"));
  std::vector<std::pair<std::string, std::string>> owned;
  for (const Metadata::Entry entry : head.headers) {
    std::string name(entry.key);
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool of_connection = name == "connection" || name == "upgrade" || name == "http2-settings" || name == "host" ||
                               name == "keep-alive" || name == "proxy-connection" || name == "transfer-encoding" || name == "te";
    if (!of_connection) owned.emplace_back(std::move(name), entry.value);
  }
  std::vector<http2::Field> fields{
      {":method", head.method_name}, {":scheme", "http"}, {":path", head.target}, {":authority", head.authority()}};
  for (const auto& [name, value] : owned) fields.push_back({name, value});

  auto http2 = std::make_unique<Http2Protocol>(connection_);
  Http2Protocol& next = *http2;
  const std::string body = std::move(upgrade_body_);
  // Its answer gathers in its own output, which goes behind ours.
  if (Result<void> upgraded = next.upgrade(settings, fields, body); !upgraded) return refuse(upgraded.error());
  http1::ResponseStart start;
  start.status = http::status::kSwitchingProtocols;
  start.upgrade = "h2c";
  if (Result<void> written = http1::write_response_head(output_, start, Metadata{}); !written) return written;
  finished_ = true;
  const std::string remaining(rest);
  connection_.switch_to(std::move(http2));
  return remaining.empty() ? Result<void>{} : next.receive(remaining);
}

}  // namespace micro::rpc
