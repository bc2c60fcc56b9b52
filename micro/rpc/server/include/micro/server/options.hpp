#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/server/cors.hpp>
#include <micro/uri/uri.hpp>

namespace micro::tls {
class ServerCredentials;
}

namespace micro::rpc {

// Told about connections that could not be secured: wrong certificates, strange protocols, port scanners. On the connection's loop.
class TlsObserver {
 public:
  virtual ~TlsObserver() = default;
  virtual void on_failed_handshake(const std::string& peer, const Error& error) = 0;
};

// How a server listens and what it lets one client cost.
struct ServerOptions {
  // Where to listen; port 0 takes a free one, an empty host all interfaces, unix_path a Unix socket.
  Address address;
  // Larger request messages and bodies are refused: RESOURCE_EXHAUSTED, on HTTP status 413.
  std::size_t max_receive_message_size = 4 * 1024 * 1024;
  // The longest a call may take when neither the caller nor its endpoint says less. Zero: no limit.
  Duration request_timeout{};
  // Calls one HTTP/2 connection may have open at once; more are refused in a way that tells the client to retry.
  std::uint32_t max_concurrent_streams = 1024;
  // Names and values of one request's headers, in bytes. Beyond: 431, or a reset stream on HTTP/2.
  std::uint32_t max_header_bytes = 32 * 1024;
  // JSON answers have every field, also those with zero values, as go-micro's clients and most people expect.
  bool json_zero_values = true;
  // Browsers on pages of other sites. Off unless origins are named.
  CorsOptions cors;
  // Origins whose pages may open WebSockets ("https://example.com"); empty: all. Browsers do not ask before they open one, so a
  // service that trusts cookies must name its pages here. Callers that send no Origin pass.
  std::vector<std::string> websocket_origins;
  // A WebSocket that is silent for this long is pinged, and dropped after as long again without a sign of life; a stream of events
  // that is silent gets a comment, so that proxies keep it open. Counted coarsely, between one and two times as long. Zero: never.
  Duration keepalive_interval = std::chrono::seconds(15);

  // Certificates for TLS (<micro/tls/credentials.hpp>), on the same port as plain connections: the first byte tells which it is.
  // Null: a TLS connection is refused. May be shared by servers; what reload() brings is for connections made after.
  std::shared_ptr<tls::ServerCredentials> tls;
  // Plain connections are refused: TLS_REQUIRED.
  bool require_tls = false;
  // From the first byte to the end of the handshake. Zero: no limit.
  Duration tls_handshake_timeout = std::chrono::seconds(10);
  // Null: failed handshakes are only counted.
  std::shared_ptr<TlsObserver> tls_observer;
};

// What a server counts, summed over its loops when read.
struct ServerCounters {
  std::uint64_t connections = 0;       // accepted
  std::uint64_t open_connections = 0;
  std::uint64_t calls = 0;             // begun
  std::uint64_t open_calls = 0;
  std::uint64_t failed_calls = 0;      // ended with an error
  std::uint64_t tls_handshakes = 0;    // connections that were secured
  std::uint64_t failed_tls_handshakes = 0;
};

}  // namespace micro::rpc
