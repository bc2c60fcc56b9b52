#pragma once

#include <memory>
#include <string>

#include <micro/client/client.hpp>
#include <micro/flags/flags.hpp>
#include <micro/loop/group.hpp>
#include <micro/plugin/plugins.hpp>
#include <micro/registry/cache.hpp>
#include <micro/registry/registry.hpp>

namespace micro::tool {

// What every command needs: where to look for services, how to call them, and how long.
struct CommonOptions {
  std::string registry = "local";
  std::string registry_address;
  std::string registry_layout;
  Duration timeout = std::chrono::seconds(5);
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_server_name;
  bool tls_calls_only = false;
  bool tls_skip_verify = false;

  void add_to(Flags& flags, const Plugins& plugins);
};

// A loop on a thread of its own with a registry and a client, for the length of one command.
class Session {
 public:
  // Fails when the registry cannot be made or the files for TLS cannot be used.
  static Result<std::unique_ptr<Session>> open(const CommonOptions& options, const Plugins& plugins);
  ~Session();

  // Runs a task on the loop and waits for it.
  void run(Task<void> task);

  registry::Registry& registry() noexcept { return *registry_; }
  registry::Cache& cache() noexcept { return cache_; }
  rpc::Client& client() noexcept { return client_; }

 private:
  Session(std::shared_ptr<registry::Registry> registry, rpc::ClientOptions client);

  std::shared_ptr<registry::Registry> registry_;
  LoopGroup loops_;
  registry::Cache cache_;
  rpc::Client client_;
};

}  // namespace micro::tool
