#pragma once

#include <string>
#include <vector>

namespace micro {

// What TLS says about the other end of a connection. Immutable once made and shared by all calls of the connection, so a handler
// may keep it longer than either.
//
// Everything from `subject` on is what the peer's certificate says, and proven only when `verified` is set.
struct PeerIdentity {
  // "TLSv1.3", and the cipher suite.
  std::string protocol;
  std::string cipher;
  // What ALPN agreed on: "h2", "http/1.1", or empty.
  std::string application_protocol;
  // The name the client asked for (SNI); empty when it named none.
  std::string server_name;

  // The peer has shown a certificate that leads to a trusted authority, and, seen from a client, is for the name that was called.
  bool verified = false;
  // RFC 2253: "CN=billing,O=Acme". Empty when there is no certificate.
  std::string subject;
  std::string issuer;
  // The subject alternative names (RFC 5280, section 4.2.1.6), by kind. Addresses in text: "10.0.0.7", "::1".
  std::vector<std::string> dns_names;
  std::vector<std::string> uris;
  std::vector<std::string> ip_addresses;
  std::vector<std::string> emails;
  // SHA-256 of the certificate, 64 lower-case hexadecimal digits.
  std::string fingerprint;

  bool has_certificate() const noexcept { return !fingerprint.empty(); }
};

}  // namespace micro
