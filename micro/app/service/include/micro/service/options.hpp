#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <micro/client/options.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/log/log.hpp>
#include <micro/registry/registry.hpp>
#include <micro/server/options.hpp>

namespace micro {

// TLS of a service, as files: what its flags --tls_... set. A program may also hand over credentials of its own, in `server.tls`
// and `client.tls`; they go before.
struct TlsOptions {
  // PEM files: the certificate to serve with, followed by the authorities between it and the root; and its key. Several, for
  // several server names, with commas between them; the first is the default. Empty: no TLS. The first is also shown to services
  // that are called and ask for one.
  std::string cert;
  std::string key;
  // PEM file with the authorities that sign for other services and for clients. Empty: those of the system, for services alone.
  std::string ca;
  // "none", "request" or "require": whether clients need a certificate.
  std::string client_auth = "none";
  // Connections without TLS are refused.
  bool only = false;
  // Other services are called with TLS alone, whatever the registry says of them.
  bool calls_only = false;
  // The name the certificates of other services must be for. Empty: the host they are called at.
  std::string server_name;
  // DANGEROUS: takes any certificate, so anybody on the way can read and change everything. For experiments only.
  bool skip_verify = false;
  // How often files are looked at; changed ones are used for new connections. Zero: never.
  Duration reload_interval = std::chrono::seconds(5);
};

// What a service is and how it runs. Flags and environment variables go before what is set here, unless `flags` is off.
struct ServiceOptions {
  // Under which name others find it: "greeter". Required. Letters, digits, '-', '_' and '.'.
  std::string name;
  // Several versions of a service may run side by side; selectors can choose one.
  std::string version = "latest";
  // One line for --help.
  std::string description;
  // How users start it, for its messages and --help: "micro gateway". Empty: the name given here, whatever --name says.
  std::string program;

  // Where to listen: ":0" is any free port on all interfaces.
  std::string address = ":0";
  // What to publish instead of the address listened on, for processes behind a translation: "203.0.113.7:8080".
  std::string advertise;
  // Published with the node: "zone", "weight", ...
  std::vector<std::pair<std::string, std::string>> metadata;

  // The registry object; null: made from the three below.
  std::shared_ptr<registry::Registry> registry;
  std::string registry_name = "local";
  std::string registry_address;
  std::string registry_layout;
  // Off: neither registers nor says who joins and leaves; calls by name still work.
  bool register_node = true;
  // The registration is renewed every interval and runs out after ttl: keep ttl at three intervals or so.
  Duration register_ttl = std::chrono::seconds(90);
  Duration register_interval = std::chrono::seconds(30);

  // Threads, each with a loop of its own; 0: one for each processor.
  std::size_t loops = 0;

  // On stopping: the time others get to notice that the node has left before it refuses work, ...
  Duration settle_delay = std::chrono::milliseconds(300);
  // ... and the time calls under way then get to end.
  Duration drain_timeout = std::chrono::seconds(10);

  TlsOptions tls;
  rpc::ServerOptions server;
  rpc::ClientOptions client;
  log::Logger::Options log;
};

}  // namespace micro
