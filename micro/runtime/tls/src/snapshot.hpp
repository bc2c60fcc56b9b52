#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/tls/credentials.hpp>

#include "certificate.hpp"
#include "openssl.hpp"

namespace micro::tls {

// Sessions a client may take up again, each once (RFC 8446, appendix C.4). Connections are rare beside calls: a lock will do.
// Thread safety: any thread.
class SessionCache {
 public:
  void put(const std::string& key, SessionPtr session) {
    const std::lock_guard lock(mutex_);
    if (sessions_.size() >= kMost) sessions_.pop_front();
    sessions_.emplace_back(key, std::move(session));
  }
  // The latest one under `key`, or null.
  SessionPtr take(std::string_view key) {
    const std::lock_guard lock(mutex_);
    for (auto it = sessions_.rbegin(); it != sessions_.rend(); ++it) {
      if (it->first != key) continue;
      SessionPtr session = std::move(it->second);
      sessions_.erase(std::next(it).base());
      return session;
    }
    return nullptr;
  }

 private:
  static constexpr std::size_t kMost = 256;
  std::mutex mutex_;
  std::deque<std::pair<std::string, SessionPtr>> sessions_;
};

// What was read from the files: OpenSSL's contexts, not changed any more once connections use them.
struct Credentials::Snapshot {
  // The context for a server name (SNI): the first of the contexts that has the name.
  SSL_CTX* find(std::string_view server_name) const noexcept;

  std::vector<ContextPtr> contexts;                        // one for each certificate, the first is the default; a client has one
  std::vector<std::pair<std::string, std::size_t>> names;  // in lower case, "*.example.org" included; index into contexts
  std::string protocols;                                   // for ALPN, in wire format
  mutable SessionCache sessions;
};

// The length-prefixed list of ALPN. Names are cut at 255 bytes.
std::string protocol_list(const std::vector<std::string>& names);

// A context with the settings every connection of ours has.
Result<ContextPtr> make_context(const SSL_METHOD* method);
// Puts certificate, chain and key into it. `name` is for the message.
Result<void> use_identity(SSL_CTX* context, const Identity& identity, const std::string& name);

// Keeps in mind why the verification of a certificate failed; `SSL_CTX_set_verify` of both sides. In engine.cpp.
int verify_callback(int good, X509_STORE_CTX* store);
// For SSL_CTX_sess_set_new_cb of clients. In engine.cpp.
int new_session_callback(SSL* ssl, SSL_SESSION* session);

}  // namespace micro::tls
