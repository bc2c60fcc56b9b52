#pragma once

#include <string>
#include <string_view>

#include <micro/error/error.hpp>

#include "openssl.hpp"

namespace micro::tls {

// Why a certificate was not accepted, noted while it is looked at.
struct Refusal {
  int code = X509_V_OK;  // X509_V_ERR_...
  std::string subject;   // of the peer's certificate, and of the one in its chain that has expired
  std::string issuer;
  std::string names;  // "a, b": what the peer's own one is for
  std::string valid_from;
  std::string valid_until;

  void note(X509_STORE_CTX* store);
};

// "the server's certificate (CN=a) expired on ..., ...": `peer` is "server" or "client", `wanted` the name it should have been
// for.
Error refused(const Refusal& refusal, std::string_view peer, std::string_view wanted);

// The Error for what is first in OpenSSL's queue, which is emptied. `peer` as above; `established`: the handshake is over.
Error failure(std::string_view peer, bool established);

}  // namespace micro::tls
