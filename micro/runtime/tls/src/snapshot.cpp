#include "snapshot.hpp"

#include <algorithm>

#include <openssl/err.h>

namespace micro::tls {
namespace {

// Mozilla's "intermediate" recommendation, version 5.7, without its finite-field Diffie-Hellman suites: whoever can speak HTTP/2
// has elliptic curves. All are on the good side of RFC 9113, appendix A.
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";

}  // namespace

SSL_CTX* Credentials::Snapshot::find(std::string_view server_name) const noexcept {
  std::string name(server_name);
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (name.ends_with('.')) name.pop_back();
  const auto context_of = [&](std::string_view wanted) -> SSL_CTX* {
    const auto found = std::ranges::find(names, wanted, &std::pair<std::string, std::size_t>::first);
    return found == names.end() ? nullptr : contexts[found->second].get();
  };
  if (SSL_CTX* exact = context_of(name)) return exact;
  const std::size_t dot = name.find('.');
  if (dot != std::string::npos) {
    if (SSL_CTX* wildcard = context_of("*" + name.substr(dot))) return wildcard;
  }
  return contexts.front().get();
}

std::string protocol_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    const std::string_view text = std::string_view(name).substr(0, 255);
    list.append(1, static_cast<char>(text.size())).append(text);
  }
  return list;
}

Result<ContextPtr> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(method));
  const bool made = context && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
                    SSL_CTX_set_ciphersuites(context.get(), kSuites13) == 1 &&
                    SSL_CTX_set_cipher_list(context.get(), kSuites12) == 1 &&
                    SSL_CTX_set1_groups_list(context.get(), kGroups) == 1;
  if (!made) return fail(internal("cannot set up OpenSSL: " + last_failure()));
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle connections give their buffers back. What is sent is what the file holds, not what OpenSSL finds in addition.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  return context;
}

Result<void> use_identity(SSL_CTX* context, const Identity& identity, const std::string& name) {
  ERR_clear_error();
  bool used = SSL_CTX_use_certificate(context, identity.certificate.get()) == 1 &&
              SSL_CTX_use_PrivateKey(context, identity.key.get()) == 1;
  for (const CertificatePtr& each : identity.chain) used = used && SSL_CTX_add1_chain_cert(context, each.get()) == 1;
  if (used) return {};
  return fail(invalid_argument("the certificate " + name + " cannot be used: " + last_failure()).with_reason("TLS_FILES"));
}

}  // namespace micro::tls
