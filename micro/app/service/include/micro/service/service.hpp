#pragma once

#include <memory>
#include <optional>
#include <string>

#include <micro/call/endpoint.hpp>
#include <micro/client/client.hpp>
#include <micro/error/error.hpp>
#include <micro/health/health.hpp>
#include <micro/loop/group.hpp>
#include <micro/plugin/plugins.hpp>
#include <micro/server/http_routes.hpp>
#include <micro/service/hook.hpp>
#include <micro/service/options.hpp>
#include <micro/task/task.hpp>

namespace micro {

// A microservice: a server on one port, a client for other services, a place in the registry, and the order in which all of it
// starts and stops.
//
//   int main(int argc, char** argv) {
//     micro::Service service({.name = "greeter"});
//     service.handle(std::make_shared<Greeter>());
//     return service.run(argc, argv);
//   }
//
// Start: options are validated, all faults told at once; the port is bound; hooks; connections are accepted; the node is
// registered with the address others can reach; ready. Stop: health says NOT_SERVING; the node leaves the registry; a short delay
// for others to notice; new work is refused; calls under way end, at the latest at the deadline, then they are cancelled;
// connections close; hooks; logs are flushed. If the registry loses the node, it is registered again.
//
// Several services may live in one process. Thread safety: one owner; client() may be used on every loop of loops().
class Service {
 public:
  // Never fails: what is wrong with the options is told by start() or run().
  explicit Service(ServiceOptions options);
  Service(ServiceOptions options, Plugins plugins);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  // Stops, if it runs.
  ~Service();

  // Before the start: what it answers. Faults (a method handled twice) are told by start().
  void handle(std::shared_ptr<rpc::Handler> handler);
  void use(std::shared_ptr<rpc::Middleware> middleware);
  void add(std::shared_ptr<Hook> hook);
  rpc::HttpRoutes& http();

  // Parses the command line and the environment, starts, runs until SIGINT or SIGTERM, stops. A second signal cancels the calls
  // still under way, a third ends the process at once. The result is what main() returns: 0 after a proper stop, 1 when it could
  // not start, 2 for a bad command line.
  int run(int argc, const char* const* argv);

  // Only the command line and the environment: for programs that go on with start(). A value is what main() is to return at once
  // (after --help: 0, for a bad command line: 2; the text is printed); nullopt: go on.
  std::optional<int> configure(int argc, const char* const* argv);

  // The same in pieces, without signals, for tests and for programs with a main loop of their own. Both block; call them from a
  // thread that is none of the loops.
  Result<void> start();
  void stop();

  // Calls other services by name.
  rpc::Client& client();
  registry::Registry& registry();
  registry::Cache& cache();
  Health& health();
  log::Logger& logger();
  LoopGroup& loops();

  // After start(): the address bound, and the one published.
  std::string address() const;
  std::string published_address() const;
  const ServiceOptions& options() const noexcept;

  // Runs `task` on the first loop and waits for its end: a bridge from plain threads (main, tests) into the world of tasks. Not
  // from a loop. The service must have been started.
  void run_on_loop(Task<void> task);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro
