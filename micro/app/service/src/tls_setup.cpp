#include "tls_setup.hpp"

#include <string_view>
#include <utility>

#include <micro/flags/flags.hpp>

namespace micro {
namespace {

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (const std::string_view part = list.substr(0, comma); !part.empty()) parts.emplace_back(part);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return parts;
}

std::string joined(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text.append(text.empty() ? "" : " ").append(file);
  return text;
}

}  // namespace

void TlsSetup::add_flags(Flags& flags, TlsOptions& options) {
  flags.add("tls_cert", options.cert, "serve TLS with this certificate and its chain: a PEM file; several: comma between them");
  flags.add("tls_key", options.key, "the key of the certificate: a PEM file; several: in the order of the certificates");
  flags.add("tls_ca", options.ca, "authorities that sign for other services and for clients: a PEM file; empty: the system's");
  flags.add("tls_client_auth", options.client_auth, "whether clients need a certificate: none, request or require");
  flags.add("tls_only", options.only, "refuse connections without TLS");
  flags.add("tls_calls_only", options.calls_only, "call other services with TLS only, whatever the registry says of them");
  flags.add("tls_server_name", options.server_name, "the name certificates of other services must be for; empty: their host");
  flags.add("tls_skip_verify", options.skip_verify, "DANGEROUS: take any certificate of other services, for experiments only");
}

std::vector<std::string> TlsSetup::load(const ServiceOptions& options) {
  const TlsOptions& tls = options.tls;
  std::vector<std::string> faults;
  server_ = options.server.tls;
  client_ = options.client.tls;

  const std::vector<std::string> certificates = split(tls.cert);
  const std::vector<std::string> keys = split(tls.key);
  std::vector<tls::KeyPair> pairs;
  if (certificates.size() != keys.size()) {
    faults.push_back("--tls_cert names " + std::to_string(certificates.size()) + " files and --tls_key " +
                     std::to_string(keys.size()) + ": each certificate needs its key, in the same order");
    return faults;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) pairs.push_back({certificates[i], keys[i]});
  const Result<tls::ClientAuth> auth = tls::parse_client_auth(tls.client_auth);
  if (!auth) faults.push_back("--tls_client_auth " + auth.error().message());
  const bool serves = !pairs.empty() || server_ != nullptr;
  if (tls.only && !serves)
    faults.push_back("--tls_only: without a certificate nobody could connect; set --tls_cert and --tls_key");
  if (auth && *auth != tls::ClientAuth::kNone && !serves) {
    faults.push_back("--tls_client_auth " + tls.client_auth + " needs TLS; set --tls_cert and --tls_key");
  }
  if (!faults.empty()) return faults;

  if (server_ == nullptr && !pairs.empty()) {
    tls::ServerOptions server{.certificates = pairs, .client_auth = *auth, .trusted = tls.ca};
    Result<std::shared_ptr<tls::ServerCredentials>> loaded = tls::ServerCredentials::load(std::move(server));
    if (loaded) {
      server_ = std::move(*loaded);
    } else {
      faults.push_back("TLS: " + loaded.error().message());
      return faults;  // the client's would be told twice
    }
  }
  const bool calls = !pairs.empty() || !tls.ca.empty() || !tls.server_name.empty() || tls.skip_verify;
  if (client_ == nullptr && calls) {
    tls::ClientOptions client{.trusted = tls.ca, .server_name = tls.server_name, .insecure_skip_verify = tls.skip_verify};
    if (!pairs.empty()) client.certificate = pairs.front();
    Result<std::shared_ptr<tls::ClientCredentials>> loaded = tls::ClientCredentials::load(std::move(client));
    if (loaded) {
      client_ = std::move(*loaded);
    } else {
      faults.push_back("TLS: " + loaded.error().message());
    }
  }
  return faults;
}

rpc::ServerOptions TlsSetup::server_options(const ServiceOptions& options) const {
  rpc::ServerOptions server = options.server;
  server.tls = server_;
  server.require_tls = server.require_tls || options.tls.only;
  if (!server.tls_observer) server.tls_observer = handshakes_;
  return server;
}

rpc::ClientOptions TlsSetup::client_options(const ServiceOptions& options) const {
  rpc::ClientOptions client = options.client;
  client.tls = client_;
  client.require_tls = client.require_tls || options.tls.calls_only;
  return client;
}

void TlsSetup::start(Duration interval) {
  if (client_ && client_->options().insecure_skip_verify) {
    logger_.warn(
        "TLS certificates of other services are not verified: anybody on the way can read and change what is sent to them");
  }
  if (interval <= Duration{} || (!server_ && !client_)) return;
  reloader_ = std::make_unique<tls::Reloader>(*this);
  if (server_) reloader_->add(server_);
  if (client_) reloader_->add(client_);
  life_ = std::make_unique<Context>();
  gate_ = std::make_unique<Gate>();
  spawn(watch(interval, gate_->enter()));
}

Task<void> TlsSetup::watch(Duration interval, Gate::Holder) { co_await reloader_->run(*life_, interval); }

Task<void> TlsSetup::stop() {
  if (!gate_) co_return;
  life_->cancel(cancelled("the service is stopping"));
  co_await gate_->close();
  gate_.reset();
}

std::string_view TlsSetup::use_of(const tls::Credentials& credentials) const noexcept {
  return &credentials == server_.get() ? "server" : "calls";
}

void TlsSetup::on_reloaded(const tls::Credentials& credentials) {
  logger_.info("new TLS files are in use", {{"for", use_of(credentials)}, {"files", joined(credentials.files())}});
}

void TlsSetup::on_reload_failed(const tls::Credentials& credentials, const Error& error) {
  logger_.error("changed TLS files cannot be used; those read before stay in use",
                {{"for", use_of(credentials)}, {"error", error.message()}});
}

void TlsSetup::Handshakes::on_failed_handshake(const std::string& peer, const Error& error) {
  const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
  if (told_in_.exchange(second) == second) {
    ++untold_;
    return;
  }
  logger_.warn("refused a TLS connection", {{"peer", peer}, {"error", error.message()}, {"others", untold_.exchange(0)}});
}

}  // namespace micro
