#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <micro/context/peer_identity.hpp>
#include <micro/error/error.hpp>
#include <micro/tls/options.hpp>

#include "openssl.hpp"

namespace micro::tls {

// What a PEM file pair holds.
struct Identity {
  CertificatePtr certificate;
  std::vector<CertificatePtr> chain;
  KeyPtr key;
};

// INVALID_ARGUMENT that names the file and what is wrong with it; for a pair also when the two do not belong together or the
// certificate has expired.
Result<Identity> read_identity(const KeyPair& files);
Result<std::vector<CertificatePtr>> read_certificates(const std::string& path);
// The authorities in a PEM file.
Result<StorePtr> read_trusted(const std::string& path);

// RFC 2253: "CN=billing,O=Acme"; "(no name)" for an empty one.
std::string subject_of(const X509* certificate);
std::string issuer_of(const X509* certificate);
// "2026-11-30 12:00:00 UTC"
std::string to_string(const ASN1_TIME* time);
// Fills in what a certificate says: all from `subject` on but `verified`.
void describe(const X509* certificate, PeerIdentity& identity);
// The names a server may be asked for by: subject alternative names, the common name if there are none.
std::vector<std::string> server_names(const X509* certificate);

// Whether it is an IPv4 or IPv6 address.
bool is_ip_address(std::string_view host);

// The text of the latest failure in OpenSSL's queue, which is emptied.
std::string last_failure();

}  // namespace micro::tls
