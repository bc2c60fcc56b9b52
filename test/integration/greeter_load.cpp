// Calls the greeters of a registry all the time, and counts. Runs until standard input ends, and until --requests calls were
// made. A line "progress <calls>" after each thousand, the sums as JSON at the end.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <micro/coro/sleep.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/flags/flags.hpp>
#include <micro/loop/loop.hpp>
#include <micro/plugins/install.hpp>
#include <micro/service/service.hpp>

#include "greeter.micro.hpp"

namespace {

struct Options {
  std::string registry = "local";
  std::string registry_address;
  std::size_t requests = 20'000;
  std::size_t concurrency = 32;
  // Calls a second; 0: as fast as they are answered.
  std::size_t rate = 0;
  // Calls that must not be repeated once they were sent.
  bool once = false;
  // Authorities of nodes that speak TLS.
  std::string tls_ca;
};

class Load {
 public:
  Load(micro::rpc::Client& client, const Options& options) : client_(client), greeter_(client), options_(options) {}

  micro::Task<void> run() {
    begin_ = micro::Loop::current()->now();
    std::vector<micro::Task<void>> workers;
    for (std::size_t i = 0; i < options_.concurrency; ++i) workers.push_back(work());
    co_await micro::when_all(std::move(workers));
  }
  // From any thread: no more than the calls asked for.
  void enough() { enough_ = true; }
  void report() const;

 private:
  micro::Task<void> work();
  micro::Task<micro::Result<greeter::HelloReply>> call_once(micro::Context& context, const greeter::HelloRequest& request);
  void count(const micro::Context& context, const micro::Result<greeter::HelloReply>& reply);

  micro::rpc::Client& client_;
  greeter::Greeter::Client greeter_;
  const Options& options_;
  micro::TimePoint begin_;
  std::atomic<bool> enough_ = false;
  std::size_t begun_ = 0;
  std::size_t ended_ = 0;
  std::size_t failed_ = 0;
  micro::Duration longest_{};
  std::map<std::string, std::size_t> nodes_;
  std::map<std::string, std::size_t> codes_;
  std::vector<std::string> errors_;
};

micro::Task<void> Load::work() {
  greeter::HelloRequest request;
  request.set_name("John");
  while (begun_ < options_.requests || !enough_) {
    const std::size_t number = begun_++;
    if (options_.rate > 0) {
      const micro::TimePoint due = begin_ + std::chrono::seconds(1) * number / options_.rate;
      const micro::Duration early = due - micro::Loop::current()->now();
      if (early > micro::Duration{}) co_await micro::sleep_for(early);
    }
    micro::Context context;
    const micro::TimePoint begun = micro::Clock::now();
    if (options_.once) {
      count(context, co_await call_once(context, request));
    } else {
      count(context, co_await greeter_.Hello(context, request));
    }
    longest_ = std::max(longest_, micro::Clock::now() - begun);
  }
}

// The generated client would say that Hello may be repeated.
micro::Task<micro::Result<greeter::HelloReply>> Load::call_once(micro::Context& context, const greeter::HelloRequest& request) {
  greeter::HelloReply reply;
  const micro::rpc::CallOptions options;
  auto done = co_await client_.call(context, "greeter", greeter::Greeter::kName, "Hello", micro::codec::ref(request),
                                    micro::codec::ref(reply), options);
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return reply;
}

void Load::count(const micro::Context& context, const micro::Result<greeter::HelloReply>& reply) {
  if (reply && reply->message() == "Hello John") {
    ++nodes_[context.peer()];
  } else {
    ++failed_;
    ++codes_[reply ? "WRONG_REPLY" : std::string(to_string(reply.error().code()))];
    if (errors_.size() < 10) errors_.push_back(reply ? reply->message() : reply.error().to_string());
  }
  if (++ended_ % 1000 == 0) {
    std::printf("progress %zu\n", ended_);
    std::fflush(stdout);
  }
}

void print(const char* name, const std::map<std::string, std::size_t>& counts) {
  std::printf("\"%s\": {", name);
  const char* comma = "";
  for (const auto& [key, value] : counts) {
    std::printf("%s\"%s\": %zu", comma, key.c_str(), value);
    comma = ", ";
  }
  std::printf("}, ");
}

void Load::report() const {
  const auto counters = client_.counters();
  std::printf("{\"calls\": %zu, \"ok\": %zu, \"failed\": %zu, \"retries\": %zu, ", ended_, ended_ - failed_, failed_,
              static_cast<std::size_t>(counters.retries));
  std::printf("\"longest_ms\": %.1f, ", std::chrono::duration<double, std::milli>(longest_).count());
  print("nodes", nodes_);
  print("codes", codes_);
  std::printf("\"errors\": [");
  const char* comma = "";
  for (std::string error : errors_) {
    std::ranges::replace_if(error, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 32; }, '\'');
    std::printf("%s\"%s\"", comma, error.c_str());
    comma = ", ";
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  micro::Flags flags("greeter_load", "Calls the greeters of a registry until standard input ends.", "1");
  flags.add("registry", options.registry, "where the greeters are registered");
  flags.add("registry_address", options.registry_address, "where that is; local: a directory");
  flags.add("requests", options.requests, "make at least so many calls");
  flags.add("concurrency", options.concurrency, "calls at a time");
  flags.add("rate", options.rate, "calls a second; 0: as fast as they are answered");
  flags.add("tls_ca", options.tls_ca, "authorities of nodes that speak TLS: a PEM file");
  flags.add("once", options.once, "never repeat a call that was sent");
  const auto parsed = flags.parse(argc, argv);
  if (!parsed || !parsed->text.empty()) {
    std::fputs((parsed ? parsed->text : parsed.error().message() + "\n").c_str(), stderr);
    return parsed ? 0 : 2;
  }

  micro::ServiceOptions service_options;
  service_options.name = "greeter_load";
  service_options.address = "127.0.0.1:0";
  service_options.registry_name = options.registry;
  service_options.registry_address = options.registry_address;
  service_options.register_node = false;
  service_options.loops = 1;
  service_options.tls.ca = options.tls_ca;
  service_options.log.level = micro::log::Level::kWarn;
  micro::Plugins plugins;
  micro::install_plugins(plugins);
  micro::Service service(service_options, std::move(plugins));
  if (auto started = service.start(); !started) {
    std::fprintf(stderr, "greeter_load: %s\n", started.error().message().c_str());
    return 1;
  }
  Load load(service.client(), options);
  std::thread input([&load] {
    char buffer[256];
    while (::read(STDIN_FILENO, buffer, sizeof buffer) > 0) {
    }
    load.enough();
  });
  service.run_on_loop(load.run());
  input.join();
  load.report();
  service.stop();
  return 0;
}
