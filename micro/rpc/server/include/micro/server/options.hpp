#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/server/cors.hpp>
#include <micro/server/http2_limits.hpp>
#include <micro/uri/uri.hpp>

namespace micro::tls {
class ServerCredentials;
}

namespace micro::rpc {

// Told about connections that could not be secured: wrong certificates, strange protocols, port scanners. On the connection's
// loop.
class TlsObserver {
 public:
  virtual ~TlsObserver() = default;
  virtual void on_failed_handshake(const std::string& peer, const Error& error) = 0;
};

// Told about events that programs of go-micro send to a server's port (Micro-Topic) and that nobody here takes. On the
// connection's loop.
class EventObserver {
 public:
  virtual ~EventObserver() = default;
  virtual void on_unclaimed_event(const std::string& peer, std::string_view topic) = 0;
};

// How a server listens and what it lets one client cost. The defaults are safe towards strangers; docs/reference/limits.md says
// what they add up to. A Duration of zero switches its limit off.
struct ServerOptions {
  // Where to listen; port 0 takes a free one, an empty host all interfaces, unix_path a Unix socket.
  Address address;
  // Larger request messages and bodies are refused: RESOURCE_EXHAUSTED, on HTTP status 413. Compressed messages are held to it
  // while they are decompressed. Raise it for services that take large messages, not for all.
  std::size_t max_receive_message_size = 4 * 1024 * 1024;
  // The longest a call may take, whatever its caller allows, unless its endpoint has a timeout of its own. Held to by the
  // deadline middleware, which a Service adds. Zero: no limit.
  Duration request_timeout{};
  // Calls one HTTP/2 connection may have open at once; more are refused in a way that tells the client to retry.
  // Handlers that go on although their streams are gone count too.
  std::uint32_t max_concurrent_streams = 1024;
  // False: HTTP/2 only, as gRPC needs. Whoever does not begin with its preface is sent GOAWAY and closed.
  bool http1 = true;
  // Names and values of one request's headers, in bytes. Beyond: 431, or a reset stream on HTTP/2.
  std::uint32_t max_header_bytes = 32 * 1024;
  // Header fields of one request, and trailers counted anew. Beyond: as above.
  std::uint32_t max_header_count = 100;
  // JSON answers have every field, also those with zero values, as go-micro's clients and most people expect.
  bool json_zero_values = true;

  // Connections open at once, over all loops; one more is closed as soon as it is accepted. 0: no limit but the next. Whatever
  // this says, a tenth of the descriptors the process may open (RLIMIT_NOFILE, read when the server listens) is left for other
  // things. An idle connection costs 2 KiB, with TLS 17. Raise both for servers of many idle clients.
  std::size_t max_connections = 10'000;
  // The same for one peer address (its port aside), of IPv6 one network of 64 bits. 0: no limit. Off, because all clients behind
  // one proxy or translation have one address; set it where clients connect directly. Unix sockets are not counted.
  std::size_t max_connections_per_peer = 0;

  // Bytes of requests that have not arrived whole, over all connections: bodies under way, and messages that handlers of streams
  // have not read yet. Beyond: what would need more is refused with UNAVAILABLE, on HTTP 503. Without it, one connection could
  // make the server hold max_concurrent_streams x max_receive_message_size. Raise it for services that take many large uploads at
  // once.
  std::size_t max_buffered_bytes = 256 * 1024 * 1024;

  // Bytes of answers that peers have not taken, over all connections: for want of room at their end, or of a window. Beyond: a
  // connection that makes more than 64 KiB of it is closed. Raise it for services with many large answers to slow callers.
  std::size_t max_unsent_bytes = 256 * 1024 * 1024;

  // From accepting to the end of the first request's head (HTTP/2: the client's SETTINGS), and from the first bytes of a later
  // head to its end, however steadily it trickles in. Beyond: 408 on HTTP/1.1, then the connection is closed.
  Duration header_timeout = std::chrono::seconds(30);
  // How long a request's body may fall short of min_transfer_rate. Counts only while bytes are waited for: neither while a
  // handler has not read what came, nor on gRPC calls whose client streams, which may be silent for hours. For a WebSocket the
  // body is a message that was begun. Beyond: 408, on gRPC and WebSockets
  // DEADLINE_EXCEEDED.
  Duration body_timeout = std::chrono::seconds(30);
  // How long the peer may take less of our output than min_transfer_rate: beyond, the connection is closed. On HTTP/2 also for an
  // answer that is complete and waits for the peer's window: its stream is reset. A handler that still streams is not cut by it.
  Duration write_timeout = std::chrono::seconds(60);
  // Bytes per second, on the average of the two timeouts above, that a body or answer under way must move at. 0: anything that
  // moves.
  std::uint32_t min_transfer_rate = 240;
  // A connection without a call is closed after this; HTTP/2 clients are told first (GOAWAY). Longer than clients keep theirs.
  Duration idle_timeout = std::chrono::minutes(5);
  // HTTP/2: when nothing has come for this long from a peer with open calls it is sent a PING, ...
  Duration keepalive_time = std::chrono::minutes(1);
  // ... and when nothing comes for this long after it, the peer is dead: the connection is closed, its calls are cancelled.
  Duration keepalive_timeout = std::chrono::seconds(20);
  // A connection this old takes no more calls than those begun (GOAWAY, "Connection: close"), so that clients spread anew after
  // nodes have joined. Off: most balancers do without.
  Duration max_connection_age{};
  // What else an HTTP/2 peer may send. The defaults do for all but servers with very strange clients.
  Http2Limits http2;
  // Browsers on pages of other sites. Off unless origins are named.
  CorsOptions cors;
  // Requests that a browser sends for a page of another origin are refused with PERMISSION_DENIED, on HTTP 403, unless the origin
  // is among those of `cors`: the browser adds its user's cookies and client certificate without asking. What only reads (GET,
  // HEAD and OPTIONS of routes and HTTP bindings) passes, WebSockets and events do not. Told by Sec-Fetch-Site and Origin, which
  // other programs do not send. Off is for services that know who calls by other means than cookies, certificates and networks.
  bool cross_origin_protection = true;
  // Origins whose pages, and no others, may open WebSockets ("https://example.com"); empty: those that may call. Callers that
  // send no Origin pass.
  std::vector<std::string> websocket_origins;
  // A WebSocket that is silent for this long is pinged, and dropped after as long again without a sign of life; a stream of
  // events that is silent gets a comment, so that proxies keep it open. Counted coarsely, between one and two times as long.
  // Zero: never.
  Duration keepalive_interval = std::chrono::seconds(15);

  // Certificates for TLS (<micro/tls/credentials.hpp>), on the same port as plain connections: the first byte tells which it is.
  // Null: a TLS connection is refused. May be shared by servers; what reload() brings is for connections made after.
  std::shared_ptr<tls::ServerCredentials> tls;
  // Plain connections are refused: TLS_REQUIRED. Always so when every client must show a certificate (ClientAuth::kRequire).
  bool require_tls = false;
  // From the first byte to the end of the handshake. Zero: no limit.
  Duration tls_handshake_timeout = std::chrono::seconds(10);
  // Null: failed handshakes are only counted.
  std::shared_ptr<TlsObserver> tls_observer;
  // Null: such events are only counted.
  std::shared_ptr<EventObserver> event_observer;
};

// What a server counts, summed over its loops when read.
struct ServerCounters {
  std::uint64_t connections = 0;  // accepted
  std::uint64_t open_connections = 0;
  std::uint64_t calls = 0;  // begun
  std::uint64_t open_calls = 0;
  std::uint64_t failed_calls = 0;  // ended with an error

  // Limits that had to act.
  std::uint64_t refused_connections = 0;       // max_connections
  std::uint64_t refused_peer_connections = 0;  // max_connections_per_peer
  std::uint64_t refused_plain = 0;             // connections without TLS: require_tls
  std::uint64_t malformed = 0;                 // connections ended because what came was not the protocol
  std::uint64_t oversized = 0;                 // requests beyond a limit of size: headers, body, message, also once decompressed
  std::uint64_t buffered_bytes = 0;            // of unfinished requests, just now
  std::uint64_t memory_refusals = 0;           // max_buffered_bytes
  std::uint64_t unsent_bytes = 0;              // of answers, just now
  std::uint64_t unsent_refusals = 0;           // connections closed for max_unsent_bytes
  std::uint64_t cross_origin_refusals = 0;     // of pages of other sites: cross_origin_protection, websocket_origins
  std::uint64_t refused_streams = 0;           // max_concurrent_streams, or too much waits on the connection; a second late
  std::uint64_t queued_data_refusals = 0;      // of these, for Http2Limits::max_queued_data
  std::uint64_t dropped_answers = 0;           // for which there was no room on their connection; a second late
  std::uint64_t floods = 0;                    // connections ended with ENHANCE_YOUR_CALM, each for one of these:
  std::uint64_t reset_floods = 0;              // Http2Limits::max_resets
  std::uint64_t control_frame_floods = 0;      // Http2Limits::max_control_frames
  std::uint64_t empty_frame_floods = 0;        // Http2Limits::max_empty_frames
  std::uint64_t continuation_floods = 0;       // Http2Limits::max_continuations
  std::uint64_t header_floods = 0;             // header blocks far beyond max_header_bytes, or made to cost time
  std::uint64_t settings_floods = 0;           // Http2Limits::max_settings
  std::uint64_t queued_reply_floods = 0;       // Http2Limits::max_queued_replies
  std::uint64_t header_timeouts = 0;
  std::uint64_t body_timeouts = 0;
  // Calls ended by request_timeout, or by the timeout of their endpoint.
  std::uint64_t request_timeouts = 0;
  std::uint64_t unclaimed_events = 0;  // of go-micro's programs: see EventObserver
  // WebSockets dropped for silence: keepalive_interval.
  std::uint64_t websocket_timeouts = 0;
  std::uint64_t write_timeouts = 0;  // connections closed and streams reset
  std::uint64_t idle_timeouts = 0;
  std::uint64_t keepalive_timeouts = 0;
  std::uint64_t aged_connections = 0;  // max_connection_age
  std::uint64_t tls_handshakes = 0;    // connections that were secured
  std::uint64_t failed_tls_handshakes = 0;
};

}  // namespace micro::rpc
