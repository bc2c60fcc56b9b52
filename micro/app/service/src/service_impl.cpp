#include "service_impl.hpp"

#include <algorithm>
#include <cstdio>
#include <system_error>

#include <micro/balance/strategy.hpp>
#include <micro/builtin/health.hpp>
#include <micro/builtin/reflection.hpp>
#include <micro/coro/run_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/flags/flags.hpp>
#include <micro/id/id.hpp>
#include <micro/middleware/access_log.hpp>
#include <micro/middleware/deadline.hpp>
#include <micro/middleware/recovery.hpp>
#include <micro/net/listener.hpp>
#include <micro/uri/uri.hpp>

#include "limit_flags.hpp"
#include "reachable.hpp"

namespace micro {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

// Gathers faults, so that all are told at once.
class Faults {
 public:
  void add(const std::string& fault) { text_ += (count_++ == 0 ? "" : "\n  ") + fault; }
  void check(const Result<void>& result) {
    if (!result) add(result.error().message());
  }
  Result<void> result() const {
    if (count_ == 0) return {};
    if (count_ == 1) return fail(invalid_argument(text_));
    return fail(invalid_argument(std::to_string(count_) + " faults:\n  " + text_));
  }

 private:
  std::string text_;
  int count_ = 0;
};

}  // namespace

Service::Impl::Impl(ServiceOptions o, Plugins p)
    : options(std::move(o)),
      program(options.program.empty() ? options.name : options.program),
      plugins(std::move(p)),
      logger(options.log),
      routes(std::make_shared<rpc::HttpRoutes>()) {}

void Service::Impl::add_flags(Flags& flags) {
  flags.add("name", options.name, "name of the service in the registry");
  flags.add("address", options.address, "where to listen: host:port, :port, :0 for a free port, unix:/path");
  flags.add("advertise", options.advertise, "address to publish instead of the one listened on");
  flags.add("registry", options.registry_name, "registry to use: " + plugins.registry_names());
  flags.add("registry_address", options.registry_address, "where the registry is; for local: a directory");
  flags.add("registry_layout", options.registry_layout, "in whose form the registry keeps records; empty: its default");
  flags.add("selector", options.client.strategy, "how calls onward choose a node: " + balance::strategy_names());
  flags.add("metadata", metadata_flags, "published with the node, key=value; may be repeated");
  flags.add("register_ttl", options.register_ttl, "a registration that is not renewed runs out after this");
  flags.add("register_interval", options.register_interval, "how often the registration is renewed");
  flags.add("loops", options.loops, "threads that serve; 0: one for each processor");
  flags.add("request_timeout", options.server.request_timeout, "the longest a call may take here; 0s: no limit");
  flags.add("drain_timeout", options.drain_timeout, "on stopping, how long calls under way get to end");
  add_limit_flags(flags, options.server);
  web_flags.add(flags, options.server);
  TlsSetup::add_flags(flags, options.tls);
  log_level_flag = to_string(options.log.level);
  log_format_flag = options.log.format == log::Logger::Format::kJson ? "json" : "text";
  flags.add("log_level", log_level_flag, "trace, debug, info, warn, error or off");
  flags.add("log_format", log_format_flag, "text or json");
}

Result<void> Service::Impl::validate() {
  Faults faults;
  if (!is_name(options.name)) {
    faults.add("--name \"" + options.name + "\": a service needs a name of letters, digits, '-', '_' and '.'");
  }
  if (Result<Address> address = Address::parse(options.address); !address) {
    faults.add("--address: " + address.error().message());
  } else {
    options.server.address = *address;
  }
  if (!options.advertise.empty()) {
    if (Result<Address> address = Address::parse(options.advertise); !address) {
      faults.add("--advertise: " + address.error().message());
    } else if (!address->is_unix() && (address->port == 0 || is_wildcard(address->host))) {
      faults.add("--advertise " + options.advertise + ": others need a host and a port to connect to");
    }
  }
  for (const std::string& entry : metadata_flags) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      faults.add("--metadata " + entry + ": expected key=value");
    } else {
      options.metadata.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    }
  }
  metadata_flags.clear();
  if (options.register_interval <= Duration{} || options.register_ttl <= options.register_interval) {
    faults.add("--register_ttl must be longer than --register_interval, and both longer than nothing");
  }
  for (const std::string& fault : limit_faults(options.server)) faults.add(fault);
  for (const std::string& fault : web_flags.apply(options.server)) faults.add(fault);
  if (!log_level_flag.empty()) {
    if (const Result<log::Level> level = log::parse_level(log_level_flag); !level) {
      faults.add("--log_level: " + level.error().message());
    } else {
      logger.set_level(*level);
    }
  }
  if (log_format_flag == "json") {
    logger.set_format(log::Logger::Format::kJson);
  } else if (!log_format_flag.empty() && log_format_flag != "text") {
    faults.add("--log_format " + log_format_flag + ": expected text or json");
  }
  if (auto strategy = balance::make_strategy(options.client.strategy); !strategy) {
    faults.add("--selector " + options.client.strategy + ": " + strategy.error().message());
  }
  for (const std::string& fault : tls.load(options)) faults.add(fault);
  registry = options.registry;
  if (!registry) {
    const RegistryConfig config{.address = options.registry_address, .layout = options.registry_layout};
    Result<std::shared_ptr<registry::Registry>> made = plugins.make_registry(options.registry_name, config);
    if (!made) {
      faults.add(made.error().message());
    } else {
      registry = std::move(*made);
    }
  }
  return faults.result();
}

Result<void> Service::Impl::start() {
  if (Result<void> prepared = prepare(); !prepared) return prepared;
  Result<void> launched = launch();
  if (!launched) stop_loops();
  return launched;
}

Result<void> Service::Impl::prepare() {
  if (running) return fail(failed_precondition("the service runs already"));
  if (Result<void> valid = validate(); !valid) return valid;

  LoopGroup::Options group;
  group.size = options.loops;
  group.name = options.name.substr(0, 10);
  group.lag_observer = &lag_report;
  try {
    loops = std::make_unique<LoopGroup>(group);
  } catch (const std::system_error& error) {
    return fail(resource_exhausted(std::string("the loops cannot be made: ") + error.what() +
                                   "; each needs two descriptors: raise the limit of open files (ulimit -n) or lower --loops"));
  }
  rpc::ServerOptions server_options = tls.server_options(options);
  if (!server_options.event_observer) server_options.event_observer = events;
  server = std::make_unique<rpc::Server>(*loops, std::move(server_options), routes);
  server->use(rpc::recovery(logger));
  server->use(rpc::deadline(options.server.request_timeout));
  server->use(rpc::access_log(logger));
  for (const auto& each : middleware) server->use(each);

  Faults faults;
  for (const auto& handler : handlers) faults.check(server->handle(handler));
  faults.check(server->handle(rpc::health_service(health)));
  faults.check(server->handle(rpc::reflection_service(server->endpoints())));
  Result<void> ready = faults.result();
  if (ready) ready = server->listen();
  if (!ready) {
    server.reset();
    loops.reset();
    return ready;
  }

  for (const rpc::Endpoint& endpoint : server->endpoints()) health.set(endpoint.service, Health::Status::kServing);
  published = options.advertise;
  if (published.empty()) published = reachable_address(server->address(), net::reachable_hosts());
  registry::Cache::Options remembered;
  // The others of the fleet renew as often as this one, so by then every living node is back in a registry that was wiped.
  remembered.keep_missing = options.register_interval + options.register_interval / 2;
  cache = std::make_unique<registry::Cache>(registry, remembered);
  patience = std::make_unique<Context>();
  return {};
}

Result<void> Service::Impl::launch() {
  loops->start();
  watchdog = std::make_unique<Watchdog>(*loops, lag_report);
  running = true;
  Result<void> result;
  run_on_loop(start_on_loop(result));
  if (!result) stop_service();
  return result;
}

Task<void> Service::Impl::start_on_loop(Result<void>& result) {
  cache->start(loops->loop(0));
  client.start(*loops, cache.get(), tls.client_options(options));
  tls.start(options.tls.reload_interval);
  health.resume();
  for (const auto& hook : hooks) {
    result = co_await hook->before_start();
    if (!result) co_return;
    ++hooks_started;
  }
  server->accept();
  logger.info("listening on " + server->address().to_string());
  if (options.register_node) {
    const Registration::Options times{.ttl = options.register_ttl, .interval = options.register_interval};
    registration = std::make_unique<Registration>(*registry, record(), times, hooks, logger);
    result = co_await registration->start();
    if (!result) {
      result = std::unexpected(
          std::move(result.error()).with_context("cannot register " + options.name + " in the " + registry->describe()));
      co_return;
    }
    if (registration->registered()) {
      logger.info("registered " + options.name + " at " + published, {{"registry", registry->describe()}});
    }
    membership = std::make_unique<Membership>(*registry, hooks, logger);
    membership->start();
  }
  for (const auto& hook : hooks) {
    result = co_await hook->after_start();
    if (!result) co_return;
  }
}

Task<void> Service::Impl::stop_on_loop() {
  for (std::size_t i = hooks_started; i-- > 0;) {
    const Result<void> done = co_await hooks[i]->before_stop();
    if (!done) logger.warn("before_stop hook failed", {{"error", done.error().message()}});
  }
  health.shutdown();
  if (registration) {
    const bool was_registered = co_await registration->stop();
    // Others still have the node in their lists: time for the news to arrive.
    if (was_registered) (void)co_await sleep(*patience, options.settle_delay);
  }
  Loop& loop = *Loop::current();
  const TimePoint deadline = loop.now() + options.drain_timeout;
  const std::size_t stuck = co_await server->stop(deadline);
  if (stuck > 0) {
    logger.warn("calls did not end although they were cancelled; their handlers ignore the context", {{"calls", stuck}});
  }
  if (membership) co_await membership->stop();
  co_await client.stop(deadline);
  co_await tls.stop();
  co_await cache->stop();
  for (; hooks_started > 0; --hooks_started) {
    const Result<void> done = co_await hooks[hooks_started - 1]->after_stop();
    if (!done) logger.warn("after_stop hook failed", {{"error", done.error().message()}});
  }
  logger.info("stopped");
}

void Service::Impl::stop_service() {
  if (!running) return;
  running = false;
  run_on_loop(stop_on_loop());
}

void Service::Impl::stop_loops() {
  if (!loops || running) return;
  loops->stop();
  loops->join();
  watchdog.reset();
  registration.reset();
  membership.reset();
  server.reset();
  cache.reset();
  loops.reset();
  logger.flush();
}

Task<void> Service::Impl::hurry() {
  logger.warn("second signal: cancelling the calls still under way");
  patience->cancel(cancelled("second signal"));
  (void)co_await server->stop(Loop::current()->now());
}

void Service::Impl::complain(const Error& error) const {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), error.message().c_str());
}

registry::Service Service::Impl::record() const {
  registry::Service record;
  record.name = options.name;
  record.version = options.version;
  for (const rpc::Endpoint& endpoint : server->endpoints()) {
    if (endpoint.service.starts_with("grpc.")) continue;  // health and reflection: every node has them
    registry::Endpoint published_endpoint;
    published_endpoint.name = endpoint.name();
    published_endpoint.request = endpoint.request_type->schema();
    published_endpoint.response = endpoint.reply_type->schema();
    registry::set_property(published_endpoint.metadata, "path", endpoint.path());
    registry::set_property(published_endpoint.metadata, "kind", rpc::to_string(endpoint.kind));
    // go-micro's gateway looks for it.
    if (endpoint.kind != rpc::MethodKind::kUnary) registry::set_property(published_endpoint.metadata, "stream", "true");
    std::string http;
    for (const rpc::HttpBinding& binding : endpoint.http)
      http += (http.empty() ? "" : "\n") + binding.method + " " + binding.path;
    if (!http.empty()) registry::set_property(published_endpoint.metadata, "http", http);
    if (!endpoint.description.empty()) registry::set_property(published_endpoint.metadata, "description", endpoint.description);
    record.endpoints.push_back(std::move(published_endpoint));
  }
  registry::Node node;
  node.id = options.name + "-" + uuid_v4();
  node.address = published;
  // go-micro's clients take a node without a protocol for one of its first versions, and speak legacy codecs to it.
  const bool http1 = options.server.http1;
  registry::set_property(node.metadata, rpc::kProtocolProperty, http1 ? "mucp" : "grpc");
  registry::set_property(node.metadata, "server", http1 ? "mucp" : "grpc");
  registry::set_property(node.metadata, "transport", http1 ? "http" : "grpc");
  registry::set_property(node.metadata, rpc::kProtocolsProperty, http1 ? "grpc,http,mucp" : "grpc");
  registry::set_property(node.metadata, "framework", "micro-cpp");
  registry::set_property(node.metadata, "registry", registry->name());
  if (tls.serves()) registry::set_property(node.metadata, rpc::kTlsProperty, "true");
  for (const auto& [key, value] : options.metadata) registry::set_property(node.metadata, key, value);
  record.nodes.push_back(std::move(node));
  return record;
}

void Service::Impl::run_on_loop(Task<void> task) { run_on(loops->loop(0), std::move(task)); }

}  // namespace micro
