#pragma once

#include <memory>
#include <string_view>

#include <micro/context/peer_identity.hpp>
#include <micro/net/stream.hpp>
#include <micro/task/task.hpp>
#include <micro/tls/credentials.hpp>

namespace micro::tls {

// The first byte of a TLS connection: the record type of a handshake (RFC 8446, section 5.1).
inline constexpr char kFirstByte = 22;

// An encrypted connection on top of another stream, which it owns. handshake() comes first; then it is read and written like any
// other. Many small pieces of one try_write() become few records.
//
// An idle connection holds no buffers. What try_write() has taken is with the stream below: bytes that are encrypted and wait for
// room count as not taken yet, which is why they must be offered again unchanged. shutdown_write() and close() say farewell to
// the peer (close_notify). A peer that goes without one is an error, unlike on a plain stream: somebody else may have cut the
// connection.
class Stream : public net::Stream {
 public:
  static std::unique_ptr<Stream> server(std::unique_ptr<net::Stream> inner, const ServerCredentials& credentials);
  // `host`, `protocol`: see Engine::client().
  static std::unique_ptr<Stream> client(std::unique_ptr<net::Stream> inner, const ClientCredentials& credentials,
                                        std::string_view host, std::string_view protocol = {});

  // `received`: what was read from the inner stream already. Has no time limit of its own: close() ends it with CANCELLED. After
  // an error the peer has been told as far as possible, and the stream is good for shutdown_write() and close() only.
  virtual Task<Result<void>> handshake(std::string_view received = {}) = 0;

  // After a handshake that failed: ends our side and reads on until the peer ends its own, so that it hears why. close() ends it.
  virtual Task<void> linger() = 0;

  // After the handshake: what ALPN agreed on, or nothing; and who the peer is.
  virtual std::string_view application_protocol() const noexcept = 0;
  virtual const std::shared_ptr<const PeerIdentity>& identity() const noexcept = 0;
};

}  // namespace micro::tls
