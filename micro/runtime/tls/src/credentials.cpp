#include <micro/tls/credentials.hpp>

#include <sys/stat.h>

#include <utility>

#include <openssl/err.h>

#include "snapshot.hpp"

namespace micro::tls {
namespace {

// Gathers faults, so that all are told at once.
class Faults {
 public:
  void add(const Error& error) { text_ += (text_.empty() ? "" : "; ") + error.message(); }
  void add(const std::string& text) { add(invalid_argument(text)); }
  explicit operator bool() const noexcept { return !text_.empty(); }
  Error error() const { return invalid_argument(text_).with_reason("TLS_FILES"); }

 private:
  std::string text_;
};

std::vector<std::string> files_of(const std::vector<KeyPair>& pairs, const std::string& trusted) {
  std::vector<std::string> files;
  for (const KeyPair& pair : pairs) {
    if (!pair.certificate.empty()) files.push_back(pair.certificate);
    if (!pair.key.empty()) files.push_back(pair.key);
  }
  if (!trusted.empty()) files.push_back(trusted);
  return files;
}

int choose_certificate(SSL* ssl, int*, void* snapshot) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_SSL_CTX(ssl, static_cast<const Credentials::Snapshot*>(snapshot)->find(name));
  return SSL_TLSEXT_ERR_OK;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned offered_size,
                    void* snapshot) {
  const std::string& ours = static_cast<const Credentials::Snapshot*>(snapshot)->protocols;
  unsigned char* chosen = nullptr;
  const int agreed = SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned>(ours.size()), offered, offered_size);
  *out = chosen;
  return agreed == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int verify_mode(ClientAuth auth) {
  switch (auth) {
    case ClientAuth::kNone:
      return SSL_VERIFY_NONE;
    case ClientAuth::kRequest:
      return SSL_VERIFY_PEER;
    case ClientAuth::kRequire:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER;
}

// The names of the authorities, sent to clients so that they know which of their certificates to show.
void tell_authorities(SSL_CTX* context, const std::vector<CertificatePtr>& authorities) {
  for (const CertificatePtr& each : authorities) SSL_CTX_add_client_CA(context, each.get());
}

}  // namespace

Result<ClientAuth> parse_client_auth(std::string_view text) {
  for (const ClientAuth each : {ClientAuth::kNone, ClientAuth::kRequest, ClientAuth::kRequire}) {
    if (text == to_string(each)) return each;
  }
  return fail(invalid_argument("\"" + std::string(text) + "\": expected none, request or require"));
}

std::string_view to_string(ClientAuth auth) noexcept {
  switch (auth) {
    case ClientAuth::kNone:
      return "none";
    case ClientAuth::kRequest:
      return "request";
    case ClientAuth::kRequire:
      return "require";
  }
  return "?";
}

Credentials::Credentials(std::vector<std::string> files) : files_(std::move(files)) {}
Credentials::~Credentials() = default;

std::vector<Credentials::Stamp> Credentials::look() const {
  std::vector<Stamp> stamps;
  for (const std::string& file : files_) {
    Stamp& stamp = stamps.emplace_back();
    struct ::stat found{};
    if (::stat(file.c_str(), &found) != 0) continue;
    stamp.device = found.st_dev;
    stamp.inode = found.st_ino;
    stamp.size = found.st_size;
    stamp.changed_ns = std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec;
  }
  return stamps;
}

Result<bool> Credentials::reload() {
  const std::lock_guard one_at_a_time(reloading_);
  // Looked at before they are read: what changes meanwhile is seen by the next call.
  std::vector<Stamp> stamps = look();
  if (snapshot_ != nullptr && stamps == stamps_) return false;
  Result<std::shared_ptr<const Snapshot>> made = read();
  if (!made) return fail(std::move(made.error()));
  stamps_ = std::move(stamps);
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(*made);
  return true;
}

std::shared_ptr<const Credentials::Snapshot> Credentials::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

ServerCredentials::ServerCredentials(ServerOptions options)
    : Credentials(files_of(options.certificates, options.trusted)), options_(std::move(options)) {}

Result<std::shared_ptr<ServerCredentials>> ServerCredentials::load(ServerOptions options) {
  std::shared_ptr<ServerCredentials> credentials(new ServerCredentials(std::move(options)));
  if (Result<bool> loaded = credentials->reload(); !loaded) return fail(std::move(loaded.error()));
  return credentials;
}

Result<std::shared_ptr<const Credentials::Snapshot>> ServerCredentials::read() const {
  Faults faults;
  if (options_.certificates.empty()) faults.add("a TLS server needs a certificate and its key");
  const bool asks = options_.client_auth != ClientAuth::kNone;
  if (asks && options_.trusted.empty()) {
    faults.add("clients are asked for a certificate, but no authorities are given that may have signed it (tls_ca)");
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->protocols = protocol_list(options_.protocols);
  StorePtr store;
  std::vector<CertificatePtr> authorities;
  if (asks && !options_.trusted.empty()) {
    Result<StorePtr> trusted = read_trusted(options_.trusted);
    Result<std::vector<CertificatePtr>> names = read_certificates(options_.trusted);
    if (!trusted) {
      faults.add(trusted.error());
    } else if (!names) {
      faults.add(names.error());
    } else {
      store = std::move(*trusted);
      authorities = std::move(*names);
    }
  }
  for (const KeyPair& pair : options_.certificates) {
    Result<Identity> identity = read_identity(pair);
    Result<ContextPtr> made = make_context(TLS_server_method());
    if (!identity) faults.add(identity.error());
    if (!made) faults.add(made.error());
    if (!identity || !made) continue;
    SSL_CTX* context = made->get();
    if (Result<void> used = use_identity(context, *identity, pair.certificate); !used) faults.add(used.error());
    SSL_CTX_set_verify(context, verify_mode(options_.client_auth), verify_callback);
    if (store) SSL_CTX_set1_cert_store(context, store.get());
    tell_authorities(context, authorities);
    // Resumption is by tickets alone, which cost the server no memory.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    constexpr unsigned char kSessionContext[] = "micro";
    SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
    SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(context, snapshot.get());
    if (!options_.protocols.empty()) SSL_CTX_set_alpn_select_cb(context, choose_protocol, snapshot.get());
    for (std::string& name : server_names(identity->certificate.get())) {
      snapshot->names.emplace_back(std::move(name), snapshot->contexts.size());
    }
    snapshot->contexts.push_back(std::move(*made));
  }
  ERR_clear_error();
  if (faults) return fail(faults.error());
  return snapshot;
}

ClientCredentials::ClientCredentials(ClientOptions options)
    : Credentials(files_of({options.certificate}, options.trusted)), options_(std::move(options)) {}

Result<std::shared_ptr<ClientCredentials>> ClientCredentials::load(ClientOptions options) {
  std::shared_ptr<ClientCredentials> credentials(new ClientCredentials(std::move(options)));
  if (Result<bool> loaded = credentials->reload(); !loaded) return fail(std::move(loaded.error()));
  return credentials;
}

Result<std::shared_ptr<const Credentials::Snapshot>> ClientCredentials::read() const {
  Faults faults;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->protocols = protocol_list(options_.protocols);
  Result<ContextPtr> made = make_context(TLS_client_method());
  if (!made) return fail(std::move(made.error()));
  SSL_CTX* context = made->get();
  if (options_.trusted.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (Result<StorePtr> store = read_trusted(options_.trusted); !store) {
    faults.add(store.error());
  } else {
    SSL_CTX_set1_cert_store(context, store->get());
  }
  const KeyPair& pair = options_.certificate;
  if (pair.certificate.empty() != pair.key.empty()) {
    faults.add("a client certificate needs both its certificate and its key");
  } else if (!pair.certificate.empty()) {
    if (Result<Identity> identity = read_identity(pair); !identity) {
      faults.add(identity.error());
    } else if (Result<void> used = use_identity(context, *identity, pair.certificate); !used) {
      faults.add(used.error());
    }
  }
  SSL_CTX_set_verify(context, options_.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, verify_callback);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, new_session_callback);
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(snapshot->protocols.data()),
                          static_cast<unsigned>(snapshot->protocols.size()));
  ERR_clear_error();
  if (faults) return fail(faults.error());
  snapshot->contexts.push_back(std::move(*made));
  return snapshot;
}

}  // namespace micro::tls
