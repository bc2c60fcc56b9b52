#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <micro/error/error.hpp>

namespace micro::tls {

// A certificate with its private key, as PEM files. Paths may be links that are switched over to new files.
struct KeyPair {
  // The certificate, then those of the authorities between it and the root, in order.
  std::string certificate;
  // Not encrypted: nobody is there to type a passphrase.
  std::string key;
};

// What a server asks of its clients.
enum class ClientAuth : std::uint8_t {
  kNone,     // no certificate
  kRequest,  // one, if they have it; one that is shown must be good
  kRequire,  // one; connections without are refused
};

// "none", "request", "require"; INVALID_ARGUMENT for others.
Result<ClientAuth> parse_client_auth(std::string_view text);
std::string_view to_string(ClientAuth auth) noexcept;

// How a server presents itself. TLS 1.2 and 1.3 with the suites of Mozilla's "intermediate" recommendation (version 5.7) that
// have forward secrecy by elliptic curves; no renegotiation, no compression.
struct ServerOptions {
  // At least one. A client that names a server (SNI) gets the first whose names match, exactly or by "*.example.org"; all others
  // get the first.
  std::vector<KeyPair> certificates;
  ClientAuth client_auth = ClientAuth::kNone;
  // PEM file with the authorities whose client certificates are good. Needed unless client_auth is kNone: the authorities of the
  // system sign for everybody.
  std::string trusted;
  // For ALPN (RFC 7301), the preferred first. A client that offers none of them is refused; one without ALPN is not.
  std::vector<std::string> protocols = {"h2", "http/1.1"};
};

// Whom a client trusts, and who it says it is.
struct ClientOptions {
  // PEM file with the authorities that may sign for servers; empty: those of the system.
  std::string trusted;
  // Shown to servers that ask for one; empty: none.
  KeyPair certificate;
  // The name every server's certificate must be for; empty: the host that is connected to, by name or address.
  std::string server_name;
  // DANGEROUS: takes any certificate, so anybody between here and the server can read and change everything. For experiments
  // only.
  bool insecure_skip_verify = false;
  std::vector<std::string> protocols = {"h2"};
};

}  // namespace micro::tls
