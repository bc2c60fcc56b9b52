#include <micro/service/service.hpp>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>

#include <google/protobuf/stubs/logging.h>

#include <micro/coro/event.hpp>
#include <micro/flags/flags.hpp>
#include <micro/loop/signals.hpp>

#include "service_impl.hpp"

namespace micro {

Service::Service(ServiceOptions options) : Service(std::move(options), Plugins()) {}

Service::Service(ServiceOptions options, Plugins plugins)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(plugins))) {}

Service::~Service() { stop(); }

void Service::handle(std::shared_ptr<rpc::Handler> handler) { impl_->handlers.push_back(std::move(handler)); }
void Service::use(std::shared_ptr<rpc::Middleware> middleware) { impl_->middleware.push_back(std::move(middleware)); }
void Service::add(std::shared_ptr<Hook> hook) { impl_->hooks.push_back(std::move(hook)); }
rpc::HttpRoutes& Service::http() { return *impl_->routes; }

Result<void> Service::start() { return impl_->start(); }
void Service::stop() {
  impl_->stop_service();
  impl_->stop_loops();
}

rpc::Client& Service::client() { return impl_->client; }
registry::Registry& Service::registry() { return *impl_->registry; }
registry::Cache& Service::cache() { return *impl_->cache; }
Health& Service::health() { return impl_->health; }
log::Logger& Service::logger() { return impl_->logger; }
LoopGroup& Service::loops() { return *impl_->loops; }

std::string Service::address() const { return impl_->server ? impl_->server->address().to_string() : std::string(); }
std::string Service::published_address() const { return impl_->published; }
const ServiceOptions& Service::options() const noexcept { return impl_->options; }

void Service::run_on_loop(Task<void> task) { impl_->run_on_loop(std::move(task)); }

namespace {

// Waits on a plain thread for signals that arrive on a loop.
class SignalWait {
 public:
  void arrived(int number) {
    std::lock_guard lock(mutex_);
    last_ = number;
    ++count_;
    changed_.notify_all();
  }
  int wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ > 0; });
    return last_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
  int last_ = 0;
};

}  // namespace

std::optional<int> Service::configure(int argc, const char* const* argv) {
  Impl& impl = *impl_;
  // Who has not given the service a version still wants to know what is running.
  const bool unversioned = impl.options.version == ServiceOptions().version;
  Flags flags(impl.program, impl.options.description,
              impl.options.version + (unversioned ? " (micro-cpp " MICRO_VERSION ")" : ""));
  impl.add_flags(flags);
  const Result<Flags::Parsed> parsed = flags.parse(argc, argv);
  if (!parsed) {
    impl.complain(parsed.error());
    return 2;
  }
  if (!parsed->text.empty()) {
    std::fputs(parsed->text.c_str(), stdout);
    return 0;
  }
  return std::nullopt;
}

int Service::run(int argc, const char* const* argv) {
  Impl& impl = *impl_;
  // protobuf writes a line of its own to standard error for every broken message a peer sends, which is answered and logged here
  // anyway. Only a program that hands its main() to us loses them: a library must not change what belongs to the process.
  google::protobuf::SetLogHandler(nullptr);
  if (const std::optional<int> ended = configure(argc, argv)) return *ended;
  Result<void> started = impl.prepare();
  if (!started) {
    impl.complain(started.error());
    return 1;
  }

  // The first signal asks the service to stop, the second to hurry; then their default action is back, so that a third one ends
  // the process.
  struct Listener {
    static Detached run(std::unique_ptr<Signals>& source, SignalWait& waiting, Impl& service, Event& ended) {
      int number = co_await source->next();
      if (number != 0) {
        waiting.arrived(number);
        number = co_await source->next();
      }
      source.reset();
      if (number != 0) co_await service.hurry();
      ended.set();
    }
    static Task<void> stop(std::unique_ptr<Signals>& source, Event& ended) {
      if (source) source->cancel();
      co_await ended.wait();
    }
  };
  SignalWait wait;
  std::unique_ptr<Signals> signals;  // lives on the first loop
  Event listened;
  Loop& loop = impl.loops->loop(0);
  // Before anything else happens there: from the moment others can see the service, it can be asked to stop.
  loop.post_remote([&] {
    signals = std::make_unique<Signals>(loop, std::initializer_list<int>{SIGINT, SIGTERM});
    Listener::run(signals, wait, impl, listened);
  });
  started = impl.launch();
  if (started) {
    const int number = wait.wait();
    impl.logger.info(number == SIGINT ? "stopping: SIGINT" : "stopping: SIGTERM");
    impl.stop_service();
  }
  impl.run_on_loop(Listener::stop(signals, listened));
  impl.stop_loops();
  if (!started) impl.complain(started.error());
  return started ? 0 : 1;
}

}  // namespace micro
