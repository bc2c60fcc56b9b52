#include "failure.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include "certificate.hpp"

namespace micro::tls {
namespace {

constexpr const char* kCertificate = "TLS_CERTIFICATE";
constexpr const char* kHandshake = "TLS_HANDSHAKE";
constexpr const char* kBroken = "TLS_BROKEN";

std::string joined_names(const X509* certificate) {
  std::string joined;
  for (const std::string& name : server_names(certificate)) joined.append(joined.empty() ? "" : ", ").append(name);
  return joined.empty() ? "no name at all" : joined;
}

std::string reason_text(const Refusal& refusal, std::string_view wanted) {
  switch (refusal.code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "expired on " + refusal.valid_until + "; renew it, or is the clock of this machine wrong?";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "is not valid before " + refusal.valid_from + "; is the clock of this machine right?";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "is for " + refusal.names + " and not for " + std::string(wanted) +
             "; call it by one of its names, or say which one to expect (tls_server_name)";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return "is signed by " + refusal.issuer +
             ", which is not trusted here; add that authority's certificate to the trusted ones (tls_ca), and have the peer send "
             "the "
             "authorities between";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "was not signed by the " + refusal.issuer + " that is trusted here, but by another of that name";
    case X509_V_ERR_INVALID_PURPOSE:
      return "may not be used for this (extended key usage); have it issued for servers or clients, as it is used";
    default:
      return std::string("was not accepted: ") + X509_verify_cert_error_string(refusal.code);
  }
}

// What a peer that ends the handshake with an alert has to say (RFC 8446, section 6.2), and what to do about it. OpenSSL's
// reasons for received alerts are SSL_AD_REASON_OFFSET + the number of the alert.
struct Alert {
  int number;
  const char* reason;
  const char* text;
};
constexpr Alert kAlerts[] = {
    {SSL_AD_BAD_CERTIFICATE, kCertificate, "it did not accept our certificate; its log may say why"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, kCertificate, "our certificate is of a kind it does not take (key usage, algorithm)"},
    {SSL_AD_CERTIFICATE_REVOKED, kCertificate, "our certificate has been revoked"},
    {SSL_AD_CERTIFICATE_EXPIRED, kCertificate, "our certificate has expired; renew it, or is the clock of that machine wrong?"},
    {SSL_AD_CERTIFICATE_UNKNOWN, kCertificate, "it did not accept our certificate; its log may say why"},
    {SSL_AD_UNKNOWN_CA, kCertificate,
     "it does not trust the authority that signed our certificate; is it the right certificate, and are the "
     "authorities it trusts the right ones (tls_ca)?"},
    {SSL_AD_ACCESS_DENIED, kCertificate, "our certificate is good but may not connect"},
    {SSL_AD_CERTIFICATE_REQUIRED, kCertificate, "it takes only clients with a certificate; set one (tls_cert, tls_key)"},
    {SSL_AD_DECRYPT_ERROR, kCertificate, "it could not check a signature of ours"},
    {SSL_AD_HANDSHAKE_FAILURE, kHandshake,
     "it refused: no suite or protocol in common, or it takes only clients with a certificate (tls_cert, "
     "tls_key)"},
    {SSL_AD_PROTOCOL_VERSION, kHandshake, "it speaks none of TLS 1.2 and 1.3"},
    {SSL_AD_INSUFFICIENT_SECURITY, kHandshake, "it wants stronger cipher suites than we have"},
    {SSL_AD_NO_APPLICATION_PROTOCOL, kHandshake,
     "it speaks none of the application protocols we offer (ALPN); is it a gRPC server?"},
    {SSL_AD_UNRECOGNIZED_NAME, kHandshake, "it has no certificate for the name we asked for (SNI, tls_server_name)"},
};

Error error_of(const char* reason, std::string text) { return unavailable(std::move(text)).with_reason(reason); }

}  // namespace

void Refusal::note(X509_STORE_CTX* store) {
  code = X509_STORE_CTX_get_error(store);
  const X509* at_fault = X509_STORE_CTX_get_current_cert(store);
  const X509* own = X509_STORE_CTX_get0_cert(store);
  if (at_fault == nullptr) at_fault = own;
  if (own != nullptr) {
    subject = subject_of(own);
    names = joined_names(own);
  }
  if (at_fault != nullptr) {
    const bool of_time = code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID;
    if (of_time && at_fault != own) subject += " by way of " + subject_of(at_fault);
    issuer = issuer_of(at_fault);
    valid_from = to_string(X509_get0_notBefore(at_fault));
    valid_until = to_string(X509_get0_notAfter(at_fault));
  }
}

Error refused(const Refusal& refusal, std::string_view peer, std::string_view wanted) {
  ERR_clear_error();
  return unavailable("the " + std::string(peer) + "'s certificate (" + refusal.subject + ") " + reason_text(refusal, wanted))
      .with_reason("TLS_CERTIFICATE");
}

Error failure(std::string_view peer, bool established) {
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  const char* const told = code == 0 ? nullptr : ERR_reason_error_string(code);
  const std::string text = told == nullptr ? "OpenSSL does not tell why" : told;
  ERR_clear_error();
  if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    for (const Alert& alert : kAlerts) {
      if (reason == SSL_AD_REASON_OFFSET + alert.number)
        return error_of(alert.reason, "the " + std::string(peer) + " ended it: " + alert.text);
    }
    if (reason >= SSL_AD_REASON_OFFSET) {
      return error_of(established ? kBroken : kHandshake, "the " + std::string(peer) + " ended it with an alert: " + text);
    }
    switch (reason) {
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return error_of(kCertificate, "the client has shown no certificate, and this server takes only clients with one");
      case SSL_R_NO_SHARED_CIPHER:
        return error_of(kHandshake,
                        "the client has no cipher suite in common with this server; it is too old, or set up strangely");
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_VERSION_TOO_LOW:
      case SSL_R_WRONG_SSL_VERSION:
        return error_of(kHandshake, "the " + std::string(peer) + " speaks an old version of TLS; here it must be 1.2 or 1.3");
      case SSL_R_NO_APPLICATION_PROTOCOL:
        return error_of(kHandshake,
                        "the client offers none of this server's application protocols (ALPN), which are those of HTTP");
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST:
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
        if (!established) return error_of(kHandshake, "the " + std::string(peer) + " does not speak TLS on this connection");
        break;
      default:
        break;
    }
  }
  return error_of(established ? kBroken : kHandshake, text);
}

}  // namespace micro::tls
