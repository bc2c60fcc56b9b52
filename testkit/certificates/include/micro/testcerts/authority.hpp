#pragma once

#include <memory>
#include <string>
#include <vector>

namespace micro::testkit {

// What a certificate for tests says.
struct CertificateOptions {
  std::string common_name = "test";
  // "DNS:localhost", "IP:127.0.0.1", "URI:spiffe://acme/billing", "email:ops@acme.example"
  std::vector<std::string> alternative_names;
  // Valid from and until, in seconds from now; both may lie in the past or in the future.
  long valid_from = -3600;
  long valid_until = 24 * 3600;
  // What it may be used for: "serverAuth", "clientAuth"; empty: everything.
  std::string usage;
};

// Everything in PEM.
struct IssuedCertificate {
  std::string certificate;
  // The authorities between it and the root, in order; empty below the root.
  std::string chain;
  std::string key;
  // SHA-256 of the certificate in lower-case hexadecimal.
  std::string fingerprint;
};

// An authority that signs certificates, with keys on the curve P-256. Made for tests: its key is never stored.
// Throws std::runtime_error when OpenSSL refuses. Thread safety: one thread.
class Authority {
 public:
  // A root.
  explicit Authority(const std::string& name = "Test Authority");
  Authority(Authority&&) noexcept;
  Authority& operator=(Authority&&) noexcept;
  ~Authority();

  // The authority's own certificate, in PEM.
  const std::string& certificate() const noexcept;
  IssuedCertificate issue(const CertificateOptions& options) const;
  // An authority that this one has signed.
  Authority intermediate(const std::string& name) const;

 private:
  struct Impl;
  explicit Authority(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro::testkit
