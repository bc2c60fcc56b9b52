#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/error/error.hpp>
#include <micro/http/method.hpp>
#include <micro/metadata/metadata.hpp>
#include <micro/websocket/deflate.hpp>

// The opening handshake over HTTP/1.1 (RFC 6455, section 4). It works on headers alone: who owns the connection reads and writes
// the HTTP messages; `Upgrade` and `Connection` are written by http1 (RequestStart::upgrade, ResponseStart::upgrade). Pure
// functions but for the random key of a client; safe from any thread.
namespace micro::websocket {

inline constexpr std::string_view kVersion = "13";

// Sec-WebSocket-Accept for this Sec-WebSocket-Key (section 4.2.2).
std::string accept_key(std::string_view key);

// --- Server ---

struct AcceptOptions {
  // The subprotocols this end speaks, best first. The first one that the client offers is chosen; none is no error.
  std::vector<std::string> subprotocols = {};

  // Values of Origin that are let in ("https://example.com"), compared without regard to case; empty: all of them. Browsers send
  // the header, and do not ask for permission as they do with other requests across sites: a service that trusts cookies must
  // name its pages here. Requests without Origin (programs) pass.
  std::vector<std::string> origins = {};

  DeflateOptions deflate = {};
};

// A request that was accepted.
struct Accepted {
  // For the answer 101 besides Upgrade and Connection: Sec-WebSocket-Accept, -Protocol and -Extensions.
  Metadata headers;
  std::string subprotocol;  // empty: none
  std::optional<Deflate> deflate;
};

// Checks a request for a WebSocket; `minor_version` is that of HTTP/1.x. Errors carry the HTTP status to answer: 400 (malformed,
// method other than GET), 403 (origin), 426 (no upgrade asked for, or another version; the answer should then carry
// "Upgrade: websocket" and "Sec-WebSocket-Version: 13"). Reasons start with "WEBSOCKET_".
Result<Accepted> accept_request(http::Method method, int minor_version, const Metadata& headers, const AcceptOptions& options);

// --- Client ---

struct ConnectOptions {
  std::vector<std::string> subprotocols = {};  // offered, best first; tokens
  DeflateOptions deflate = {};
};

// What the answer is checked against.
struct Offer {
  // For the request besides Host, Upgrade and Connection: Sec-WebSocket-Key, -Version, -Protocol and -Extensions.
  Metadata headers;
  std::string key;
  ConnectOptions options;
};

// Makes the headers of a request, with a fresh random key. Throws std::logic_error for a subprotocol that is no token.
Offer make_offer(const ConnectOptions& options);

struct Opened {
  std::string subprotocol;  // empty: the server chose none
  std::optional<Deflate> deflate;
};

// Checks the answer, whose status must be 101 (another status is the caller's: it comes with a body). Fails with INTERNAL when
// the server did not answer by the rules.
Result<Opened> check_answer(int status, const Metadata& headers, const Offer& offer);

}  // namespace micro::websocket
