#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <micro/http/method.hpp>
#include <micro/metadata/metadata.hpp>

namespace micro::http1 {

// The four shapes of a request target (RFC 9112, section 3.2).
enum class TargetForm : std::uint8_t {
  kOrigin,     // "/path?query"
  kAbsolute,   // "http://host/path?query": to proxies, but every server must take it
  kAuthority,  // "host:port", only with CONNECT
  kAsterisk,   // "*", only with OPTIONS
};

// What requests and responses have in common. Headers hold every field line in order, the framing ones too; values come without
// the blanks around them. A parser fills the same object again and again, so that its memory is reused; who wants to keep the
// headers copies or swaps them, which the parser does not mind.
struct MessageHead {
  Metadata headers;
  // Length of the body in bytes as declared; unset for chunked bodies and for messages without the header. Tells nothing about
  // what follows a response to HEAD, or a 304: see ResponseParser.
  std::optional<std::uint64_t> content_length;
  std::uint8_t minor_version = 1;  // 0: HTTP/1.0; 1: HTTP/1.1 and later 1.x
  // Whether the connection may carry another message after this one (RFC 9112, section 9.3).
  bool keep_alive = true;
  bool chunked = false;
  // An Upgrade field together with "Connection: upgrade" on HTTP/1.1; the protocols are in headers.values("Upgrade").
  bool upgrade = false;
};

struct RequestHead : MessageHead {
  http::Method method = http::Method::kGet;
  TargetForm form = TargetForm::kOrigin;
  // "Expect: 100-continue" on a request with a body: the client waits for 100 (or a final answer) before it sends the body.
  bool expect_continue = false;
  // `upgrade` asks for h2c and brings one HTTP2-Settings that is listed in Connection too (RFC 7540, section 3.2.1).
  bool upgrade_h2c = false;
  // `upgrade` asks for websocket, with GET (RFC 6455, section 4.1); the Sec-WebSocket-* headers are not looked at.
  bool upgrade_websocket = false;
  std::string method_name;  // the token as sent
  std::string target;       // as sent

  // The parts of the target, still percent-encoded. For "http://host" the path is "/", with OPTIONS "*" (RFC 9112,
  // section 3.2.4); the authority form has none.
  std::string_view path() const noexcept;
  std::string_view query() const noexcept;
  // "host[:port]" of the target when it has one, else of Host (RFC 9112, section 3.3); may be empty.
  std::string_view authority() const noexcept;
  bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }

  // Set by the parser: where in `target` the authority stands, if it has one, the path begins and its '?' stands (or the end).
  std::uint32_t authority_begin = 0;
  std::uint32_t authority_end = 0;
  std::uint32_t path_begin = 0;
  std::uint32_t path_end = 0;
};

struct ResponseHead : MessageHead {
  int status = 200;
  std::string reason;  // as sent; may be empty
};

}  // namespace micro::http1
