#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <micro/error/error.hpp>

// permessage-deflate (RFC 7692): what the two ends agree on in the handshake. Pure functions, safe from any thread.
namespace micro::websocket {

// What an end is willing to do. A context that is kept between messages compresses small, similar messages far better and costs
// memory as long as the connection lives: about 2^(bits+2) + 128 KiB for what we compress, 2^bits for what we decompress.
struct DeflateOptions {
  // False: the extension is neither offered nor accepted.
  bool enabled = true;

  // Each message on its own: the server (or the client) forgets its context after each one. An end asks it of the other to save
  // memory, and announces it of itself.
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;

  // The base-2 logarithm of the window in bytes, 8 to 15. With 8 an end of ours sends uncompressed messages, because zlib has no
  // such window. A server can only limit a client that offers to be limited.
  std::uint8_t server_max_window_bits = 15;
  std::uint8_t client_max_window_bits = 15;
};

// What was agreed: the parameters of the server's answer.
struct Deflate {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::uint8_t server_max_window_bits = 15;
  std::uint8_t client_max_window_bits = 15;
  friend bool operator==(const Deflate&, const Deflate&) = default;
};

// A server's choice, with the value of Sec-WebSocket-Extensions that announces it.
struct DeflateAnswer {
  Deflate deflate;
  std::string extension;
};

// Server: picks the first offer of permessage-deflate that it can keep; nullopt when there is none. `offers` is the value of
// Sec-WebSocket-Extensions, several fields joined by commas. An offer with an unknown, repeated or bad parameter is passed over,
// as section 7.1 of RFC 7692 asks. Fails with INVALID_ARGUMENT when the field itself is malformed.
Result<std::optional<DeflateAnswer>> choose_deflate(std::string_view offers, const DeflateOptions& options);

// Client: the value of Sec-WebSocket-Extensions that offers what `options` allow; empty when the extension is off.
std::string deflate_offer(const DeflateOptions& options);

// Client: what the server answered; nullopt when it declined (empty value). Fails with INTERNAL when the answer holds an
// extension or a parameter that was not offered, or less than was asked for: the connection must then be dropped.
Result<std::optional<Deflate>> read_deflate_answer(std::string_view answer, const DeflateOptions& options);

}  // namespace micro::websocket
