#include <micro/tls/engine.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <openssl/err.h>

#include "failure.hpp"
#include "snapshot.hpp"

namespace micro::tls {
namespace {

// The plaintext of a record (RFC 8446, section 5.1).
constexpr std::size_t kMostPlaintext = 16 * 1024;

}  // namespace

struct Engine::Impl {
  enum class Role : std::uint8_t { kServer, kClient };

  Impl(Role r, std::shared_ptr<const Credentials::Snapshot> s);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  std::string_view peer() const noexcept { return role == Role::kServer ? "client" : "server"; }
  std::unexpected<Error> fail_with(Error error);
  // After a call that OpenSSL has not finished: false when it needs more bytes from the peer.
  Result<bool> unfinished(int status);
  void finish();

  const Role role;
  const std::shared_ptr<const Credentials::Snapshot> snapshot;  // before ssl, which uses it
  Chain input;
  Chain output;
  bool input_ended = false;
  bool established = false;
  bool closed = false;
  SslPtr ssl;
  std::string host;         // a client's: what the certificate must be for
  std::string session_key;  // a client's
  std::optional<Refusal> refusal;
  std::optional<Error> error;
  std::shared_ptr<const PeerIdentity> identity;
};

namespace {

Engine::Impl& impl_of(BIO* bio) { return *static_cast<Engine::Impl*>(BIO_get_data(bio)); }

int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
  impl_of(bio).output.append(std::string_view(data, size));
  *written = size;
  return 1;
}

int bio_read(BIO* bio, char* data, std::size_t size, std::size_t* got) {
  BIO_clear_retry_flags(bio);
  Chain& input = impl_of(bio).input;
  *got = 0;
  while (*got < size && !input.empty()) {
    const std::string_view front = input.front();
    const std::size_t count = std::min(size - *got, front.size());
    std::copy_n(front.data(), count, data + *got);
    input.consume(count);
    *got += count;
  }
  if (*got != 0) return 1;
  BIO_set_retry_read(bio);
  return 0;
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// Lives as long as the process.
const BIO_METHOD* bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "micro chain");
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

}  // namespace

int verify_callback(int good, X509_STORE_CTX* store) {
  if (good != 0) return good;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* impl = static_cast<Engine::Impl*>(SSL_get_app_data(ssl));
  if (!impl->refusal) impl->refusal.emplace().note(store);
  return good;
}

int new_session_callback(SSL* ssl, SSL_SESSION* session) {
  auto* impl = static_cast<Engine::Impl*>(SSL_get_app_data(ssl));
  if (SSL_SESSION_is_resumable(session) == 0) return 0;
  impl->snapshot->sessions.put(impl->session_key, SessionPtr(session));
  return 1;  // it is ours now
}

Engine::Impl::Impl(Role r, std::shared_ptr<const Credentials::Snapshot> s)
    : role(r), snapshot(std::move(s)), ssl(SSL_new(snapshot->contexts.front().get())) {
  BIO* const bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_app_data(ssl.get(), this);
  if (role == Role::kServer) {
    SSL_set_accept_state(ssl.get());
  } else {
    SSL_set_connect_state(ssl.get());
  }
}

Engine::Impl::~Impl() {
  // Connections that just end are common enough, and OpenSSL would not let their sessions be taken up again.
  if (established && !error) SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

std::unexpected<Error> Engine::Impl::fail_with(Error failed) {
  error = std::move(failed);
  return fail(*error);
}

Result<bool> Engine::Impl::unfinished(int status) {
  if (SSL_get_error(ssl.get(), status) != SSL_ERROR_WANT_READ) {
    if (!established && refusal) return fail_with(refused(*refusal, peer(), host));
    return fail_with(failure(peer(), established));
  }
  if (!input_ended) return false;
  const std::string cut = "the " + std::string(peer()) + " closed the connection ";
  if (!established)
    return fail_with(
        unavailable(cut + "in the middle of the TLS handshake; does it speak TLS here?").with_reason("TLS_HANDSHAKE"));
  return fail_with(unavailable(cut + "without the farewell of TLS; something may be missing").with_reason("TLS_BROKEN"));
}

void Engine::Impl::finish() {
  established = true;
  auto made = std::make_shared<PeerIdentity>();
  made->protocol = SSL_get_version(ssl.get());
  made->cipher = SSL_get_cipher_name(ssl.get());
  const unsigned char* agreed = nullptr;
  unsigned agreed_size = 0;
  SSL_get0_alpn_selected(ssl.get(), &agreed, &agreed_size);
  made->application_protocol.assign(reinterpret_cast<const char*>(agreed), agreed_size);
  if (const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name)) made->server_name = name;
  if (const X509* certificate = SSL_get0_peer_certificate(ssl.get())) {
    describe(certificate, *made);
    made->verified = SSL_get_verify_mode(ssl.get()) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl.get()) == X509_V_OK;
  }
  identity = std::move(made);
}

Engine::Engine(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Engine Engine::server(const ServerCredentials& credentials) {
  return Engine(std::make_unique<Impl>(Impl::Role::kServer, credentials.snapshot()));
}

Engine Engine::client(const ClientCredentials& credentials, std::string_view host, std::string_view address,
                      std::string_view protocol) {
  auto impl = std::make_unique<Impl>(Impl::Role::kClient, credentials.snapshot());
  const ClientOptions& options = credentials.options();
  impl->host = options.server_name.empty() ? host : options.server_name;
  if (impl->host.ends_with('.')) impl->host.pop_back();
  // OpenSSL takes no name for no wish to check it.
  if (impl->host.empty()) impl->host = "localhost";
  impl->session_key.append(impl->host).append(" ").append(address);
  SSL* const ssl = impl->ssl.get();
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl);
  // Common names are not names of hosts (RFC 9525, section 2).
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (is_ip_address(impl->host)) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, impl->host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(parameters, impl->host.data(), impl->host.size());
    SSL_set_tlsext_host_name(ssl, impl->host.c_str());
  }
  if (!protocol.empty()) {
    const std::string list = protocol_list({std::string(protocol)});
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()), static_cast<unsigned>(list.size()));
  }
  if (const SessionPtr session = impl->snapshot->sessions.take(impl->session_key)) SSL_set_session(ssl, session.get());
  return Engine(std::move(impl));
}

void Engine::feed(std::string_view bytes) { impl_->input.append(bytes); }
void Engine::feed_end() noexcept { impl_->input_ended = true; }

Result<bool> Engine::handshake() {
  Impl& impl = *impl_;
  if (impl.error) return fail(*impl.error);
  if (impl.established) return true;
  ERR_clear_error();
  const int status = SSL_do_handshake(impl.ssl.get());
  if (status != 1) return impl.unfinished(status);
  // A session that is taken up again brings the certificate of its beginning, which nobody has looked at since.
  const X509* certificate = SSL_get0_peer_certificate(impl.ssl.get());
  if (resumed() && certificate != nullptr && SSL_get_verify_mode(impl.ssl.get()) != SSL_VERIFY_NONE &&
      X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    Refusal expired;
    expired.code = X509_V_ERR_CERT_HAS_EXPIRED;
    expired.subject = subject_of(certificate);
    expired.valid_until = to_string(X509_get0_notAfter(certificate));
    return impl.fail_with(refused(expired, impl.peer(), impl.host));
  }
  impl.finish();
  return true;
}

bool Engine::established() const noexcept { return impl_->established; }

Result<std::size_t> Engine::read(std::span<char> buffer, bool& starved) {
  Impl& impl = *impl_;
  starved = false;
  std::size_t size = 0;
  while (size < buffer.size() && !impl.error) {
    ERR_clear_error();
    std::size_t count = 0;
    const int status = SSL_read_ex(impl.ssl.get(), buffer.data() + size, buffer.size() - size, &count);
    size += count;
    if (status == 1) continue;
    // Before what there is was taken, an end or a failure is of no interest: it comes with the next call.
    if (SSL_get_error(impl.ssl.get(), status) == SSL_ERROR_ZERO_RETURN) return size;
    const Result<bool> unfinished = size != 0 && impl.input_ended ? false : impl.unfinished(status);
    if (!unfinished) break;
    starved = size == 0;
    return size;
  }
  if (size == 0 && impl.error) return fail(*impl.error);
  return size;
}

bool Engine::has_unread() const noexcept {
  const Impl& impl = *impl_;
  return impl.error || !impl.input.empty() || impl.input_ended || SSL_has_pending(impl.ssl.get()) == 1 ||
         (SSL_get_shutdown(impl.ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

Result<void> Engine::write(std::string_view bytes) {
  Impl& impl = *impl_;
  if (impl.closed) return fail(failed_precondition("write to a TLS connection after its end was announced"));
  while (!bytes.empty()) {
    if (impl.error) return fail(*impl.error);
    ERR_clear_error();
    std::size_t written = 0;
    const int status = SSL_write_ex(impl.ssl.get(), bytes.data(), std::min(bytes.size(), kMostPlaintext), &written);
    if (status != 1) return impl.fail_with(failure(impl.peer(), impl.established));
    bytes.remove_prefix(written);
  }
  return {};
}

void Engine::close() {
  Impl& impl = *impl_;
  if (impl.closed || !impl.established || impl.error) return;
  impl.closed = true;
  ERR_clear_error();
  SSL_shutdown(impl.ssl.get());
  ERR_clear_error();
}

Chain& Engine::output() noexcept { return impl_->output; }
std::string_view Engine::application_protocol() const noexcept {
  return impl_->identity ? std::string_view(impl_->identity->application_protocol) : std::string_view();
}
const std::shared_ptr<const PeerIdentity>& Engine::identity() const noexcept { return impl_->identity; }
bool Engine::resumed() const noexcept { return SSL_session_reused(impl_->ssl.get()) == 1; }

}  // namespace micro::tls
