#include "session.hpp"

#include <micro/coro/run_on.hpp>
#include <micro/tls/credentials.hpp>

namespace micro::tool {
namespace {

LoopGroup::Options one_loop() {
  LoopGroup::Options options;
  options.size = 1;
  return options;
}

Task<void> close(rpc::Client& client, registry::Cache& cache) {
  co_await client.stop(Loop::current()->now());
  co_await cache.stop();
}

}  // namespace

void CommonOptions::add_to(Flags& flags, const Plugins& plugins) {
  flags.add("registry", registry, "registry to use: " + plugins.registry_names());
  flags.add("registry_address", registry_address, "where the registry is; for local: a directory");
  flags.add("registry_layout", registry_layout, "in whose form the registry keeps records; empty: its default");
  flags.add("timeout", timeout, "give up after this");
  flags.add("tls_ca", tls_ca, "authorities that sign for services: a PEM file; empty: the system's");
  flags.add("tls_cert", tls_cert, "certificate to show to services that ask for one: a PEM file");
  flags.add("tls_key", tls_key, "its key: a PEM file");
  flags.add("tls_server_name", tls_server_name, "the name certificates of services must be for; empty: their host");
  flags.add("tls_calls_only", tls_calls_only, "call with TLS only, whatever the registry says");
  flags.add("tls_skip_verify", tls_skip_verify, "DANGEROUS: take any certificate, for experiments only");
}

Result<std::unique_ptr<Session>> Session::open(const CommonOptions& options, const Plugins& plugins) {
  const RegistryConfig config{.address = options.registry_address, .layout = options.registry_layout};
  auto registry = plugins.make_registry(options.registry, config);
  if (!registry) return std::unexpected(std::move(registry.error()));
  rpc::ClientOptions client;
  client.require_tls = options.tls_calls_only;
  tls::ClientOptions tls;
  tls.trusted = options.tls_ca;
  tls.certificate = {options.tls_cert, options.tls_key};
  tls.server_name = options.tls_server_name;
  tls.insecure_skip_verify = options.tls_skip_verify;
  Result<std::shared_ptr<tls::ClientCredentials>> credentials = tls::ClientCredentials::load(std::move(tls));
  if (!credentials) return std::unexpected(std::move(credentials.error()).with_context("TLS"));
  client.tls = std::move(*credentials);
  return std::unique_ptr<Session>(new Session(std::move(*registry), std::move(client)));
}

Session::Session(std::shared_ptr<registry::Registry> registry, rpc::ClientOptions client)
    : registry_(std::move(registry)), loops_(one_loop()), cache_(registry_) {
  loops_.start();
  loops_.loop(0).post_remote([this] { cache_.start(loops_.loop(0)); });
  client_.start(loops_, &cache_, std::move(client));
}

Session::~Session() {
  run(close(client_, cache_));
  loops_.stop();
  loops_.join();
}

void Session::run(Task<void> task) { run_on(loops_.loop(0), std::move(task)); }

}  // namespace micro::tool
