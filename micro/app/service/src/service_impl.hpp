#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/loop/watchdog.hpp>
#include <micro/registry/cache.hpp>
#include <micro/server/server.hpp>
#include <micro/service/service.hpp>

#include "event_report.hpp"
#include "membership.hpp"
#include "registration.hpp"
#include "tls_setup.hpp"
#include "web_flags.hpp"

namespace micro {

class Flags;

// Says in the log that something has blocked a loop: every other call there had to wait.
class LagReport final : public LagObserver, public Watchdog::Observer {
 public:
  explicit LagReport(log::Logger& logger) : logger_(logger) {}
  void on_lag(const std::string& loop_name, Duration turn) override {
    logger_.warn("a loop was blocked; give long work to offload()",
                 {{"loop", loop_name}, {"ms", std::chrono::duration<double, std::milli>(turn).count()}});
  }
  void on_stuck(const std::string& loop_name, Duration so_far) override {
    logger_.error("a loop is blocked: its calls and connections wait; give long work to offload()",
                  {{"loop", loop_name}, {"seconds", std::chrono::duration<double>(so_far).count()}});
  }

 private:
  log::Logger& logger_;
};

struct Service::Impl {
  Impl(ServiceOptions o, Plugins p);

  void add_flags(Flags& flags);
  // All faults of the options in one Error.
  Result<void> validate();
  // prepare() and launch(), undone when they fail.
  Result<void> start();
  // Everything up to the bound port; no thread runs yet.
  Result<void> prepare();
  // The rest. When it fails, only the loops are left to be stopped.
  Result<void> launch();
  Task<void> start_on_loop(Result<void>& result);
  Task<void> stop_on_loop();
  // Everything but the loops, and then those. Both do nothing when there is nothing to stop.
  void stop_service();
  void stop_loops();
  // Second signal: calls under way are cancelled now. On the first loop.
  Task<void> hurry();
  // Tells whoever started the program why it does not run.
  void complain(const Error& error) const;
  registry::Service record() const;
  void run_on_loop(Task<void> task);

  ServiceOptions options;
  // Stands before what is told on standard error. A copy, since --name may change the options.
  const std::string program;
  Plugins plugins;
  std::vector<std::shared_ptr<rpc::Handler>> handlers;
  std::vector<std::shared_ptr<rpc::Middleware>> middleware;
  std::vector<std::shared_ptr<Hook>> hooks;
  Health health;
  log::Logger logger;
  LagReport lag_report{logger};
  const std::shared_ptr<EventReport> events = std::make_shared<EventReport>(logger);
  TlsSetup tls{logger};
  rpc::Client client;
  std::shared_ptr<rpc::HttpRoutes> routes;
  std::vector<std::string> metadata_flags;
  WebFlags web_flags;
  std::string log_level_flag;
  std::string log_format_flag;

  // From here on made by start(), in this order, and destroyed in reverse.
  std::unique_ptr<LoopGroup> loops;
  std::unique_ptr<Watchdog> watchdog;
  std::shared_ptr<registry::Registry> registry;
  std::unique_ptr<registry::Cache> cache;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<Registration> registration;
  std::unique_ptr<Membership> membership;
  std::unique_ptr<Context> patience;  // cancelled by hurry()
  std::string published;
  std::size_t hooks_started = 0;
  bool running = false;
};

}  // namespace micro
