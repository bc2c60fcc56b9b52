#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include <micro/bytes/chain.hpp>
#include <micro/context/peer_identity.hpp>
#include <micro/error/error.hpp>
#include <micro/tls/credentials.hpp>

namespace micro::tls {

// One TLS connection (RFC 8446, RFC 5246) without a socket: encrypted bytes in by feed(), out by output(); plaintext in by
// write(), out by read(). Knows no clock but the one that certificates are checked with.
//
// Errors are UNAVAILABLE. Reason TLS_CERTIFICATE: one of the two did not accept the other's certificate, and the message says
// which, why, and what to do; TLS_HANDSHAKE: they did not agree on something else; TLS_BROKEN: later, or bytes that are not TLS.
// The alert that tells the peer is in the output then, and further calls fail alike. Thread safety: one owner.
class Engine {
 public:
  static Engine server(const ServerCredentials& credentials);
  // `host` is whom the certificate must be for, unless the options say otherwise: a name or an address; empty: localhost. A
  // session of an earlier connection with the same `host` and `address` is offered to the server again. `protocol`: offered by
  // ALPN instead of those of the options.
  static Engine client(const ClientCredentials& credentials, std::string_view host, std::string_view address = {},
                       std::string_view protocol = {});
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  // Takes bytes from the peer, split at will.
  void feed(std::string_view bytes);
  // The peer's bytes have ended. Without its farewell (close_notify) before, that is an error: somebody may have cut the
  // connection.
  void feed_end() noexcept;

  // Goes on with the handshake: true when it is done. A client begins with it; the others call it after feed().
  Result<bool> handshake();
  bool established() const noexcept;

  // Gives plaintext. 0 with `starved`: none before more is fed; 0 without: the peer has said that it will send no more.
  Result<std::size_t> read(std::span<char> buffer, bool& starved);
  // Something has come that read() has not looked at: plaintext, or perhaps no more than a part of a record.
  bool has_unread() const noexcept;
  // Encrypts all of `bytes` into the output, in records of 16 KiB at most. Only when established.
  Result<void> write(std::string_view bytes);
  // Says farewell; nothing may be written after.
  void close();

  // To be sent to the peer.
  Chain& output() noexcept;
  // What ALPN agreed on; empty: nothing. When established.
  std::string_view application_protocol() const noexcept;
  // Null until established.
  const std::shared_ptr<const PeerIdentity>& identity() const noexcept;
  // Whether the handshake took up an earlier session.
  bool resumed() const noexcept;

  struct Impl;

 private:
  explicit Engine(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro::tls
