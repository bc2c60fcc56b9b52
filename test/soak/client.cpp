// Calls of all kinds until their time or number is used up, then a line "done"; after a line of input calls until the server
// answers well again, then the sums as JSON. Ends with 1 when an answer was wrong or a call did not end in time.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <micro/coro/sleep.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/flags/flags.hpp>
#include <micro/loop/loop.hpp>
#include <micro/loop/timer.hpp>
#include <micro/service/service.hpp>
#include <micro/tls/credentials.hpp>

#include "calls.hpp"

namespace {

using namespace std::chrono_literals;
using micro::Code;
using micro::Context;
using micro::Result;
using micro::Task;
using soak::Carrier;
using soak::Kind;
using soak::Plan;

struct Options {
  std::vector<std::string> addresses;
  micro::Duration time = 10s;
  std::size_t requests = 1'000'000;
  std::size_t concurrency = 16;
  std::size_t seed = 1;
  std::size_t number = 0;  // of this process, so that ids are unique
  // No faults are on the way: only what a call asked for itself may end it.
  bool strict = false;
  // How much longer than its deadline a call may take.
  micro::Duration grace = 2s;
  // The authority that signs for the server; empty: no TLS.
  std::string authority;
};

class Soak {
 public:
  Soak(soak::Calls& calls, const Options& options) : calls_(calls), options_(options), random_(options.seed) {}

  Task<void> run();
  // Whether twenty calls in a row, by all carriers, were answered well, before long.
  Task<void> recover();
  int report(const micro::rpc::ClientCounters& counters) const;

 private:
  struct Worker {
    std::optional<micro::TimePoint> must_end;
    std::string what;
  };

  std::size_t draw(std::size_t below) { return random_() % below; }
  Plan plan();
  Task<void> work(Worker& worker);
  Task<void> watch();
  void judge(const Plan& plan, const Result<void>& result);
  void wrong(std::string what);

  soak::Calls& calls_;
  const Options& options_;
  std::mt19937_64 random_;
  micro::TimePoint end_;
  std::vector<Worker> workers_;
  std::size_t begun_ = 0;
  bool finished_ = false;
  bool recovered_ = false;
  micro::Duration latest_{};  // behind a deadline
  std::map<std::string, std::size_t> outcomes_;
  std::map<std::string, std::size_t> good_;  // by carrier
  std::size_t wrong_count_ = 0;
  std::vector<std::string> wrong_;
};

std::string name_of(const Plan& plan) {
  return std::string(to_string(plan.carrier)) + " " + to_string(plan.kind) + " " + std::to_string(plan.id);
}

void Soak::wrong(std::string what) {
  ++wrong_count_;
  if (wrong_.size() < 10) wrong_.push_back(std::move(what));
}

Plan Soak::plan() {
  Plan plan;
  plan.id = options_.number * 1'000'000'000ULL + ++begun_;
  const std::size_t sizes[] = {0, 10, 100, 100, 1000, 5000, 50'000, 300'000};
  plan.size = draw(sizes[draw(std::size(sizes))] + 1);
  plan.count = static_cast<std::uint32_t>(draw(plan.size > 5000 ? 10 : 50));
  if (draw(5) == 0) plan.wait = static_cast<std::uint32_t>(draw(300));
  plan.timeout = std::chrono::milliseconds(draw(10) == 0 ? 1 + draw(100) : 500 + draw(2500));
  if (draw(10) == 0) plan.cancel_after = std::chrono::microseconds(draw(50'000));
  plan.drop = draw(20) == 0;
  plan.kind = static_cast<Kind>(draw(4));
  const std::size_t carrier = draw(6);
  if (carrier == 0) plan.carrier = Carrier::kWebSocket;
  if (carrier == 1) plan.carrier = Carrier::kEvents;
  if (plan.carrier == Carrier::kEvents) plan.kind = Kind::kCount;
  plan.binary = draw(2) == 0 && plan.carrier == Carrier::kWebSocket;
  plan.target = draw(options_.addresses.size());
  return plan;
}

// An error is clean when it says what happened on the way, or what the call asked for itself.
void Soak::judge(const Plan& plan, const Result<void>& result) {
  const Code code = result ? Code::kOk : result.error().code();
  ++outcomes_[std::string(to_string(code))];
  if (result) ++good_[to_string(plan.carrier)];
  if (result || code == Code::kDeadlineExceeded) return;
  if (code == Code::kCancelled && plan.cancel_after) return;
  if (code == Code::kUnavailable && !options_.strict) return;
  wrong(name_of(plan) + ": " + result.error().to_string());
}

Task<void> Soak::work(Worker& worker) {
  micro::Loop& loop = *micro::Loop::current();
  while (begun_ < options_.requests && micro::Clock::now() < end_) {
    const Plan plan = this->plan();
    Context context;
    context.set_timeout(plan.timeout);
    micro::Timer timer;
    if (plan.cancel_after) {
      timer.set(
          loop, loop.now() + *plan.cancel_after, [](void* c) { static_cast<Context*>(c)->cancel(micro::cancelled("given up")); },
          &context);
    }
    const micro::TimePoint deadline = *context.deadline();
    worker.must_end = deadline + options_.grace;
    worker.what = name_of(plan);
    try {
      const Result<void> result = co_await calls_.make(context, plan);
      judge(plan, result);
    } catch (const soak::Wrong& error) {
      wrong(worker.what + ": " + error.what());
    }
    worker.must_end.reset();
    latest_ = std::max(latest_, micro::Clock::now() - deadline);
    co_await micro::sleep_for(std::chrono::milliseconds(draw(20)));
  }
}

// A call that does not end would end nothing else either: the program says so and gives up.
Task<void> Soak::watch() {
  while (!finished_) {
    co_await micro::sleep_for(200ms);
    for (const Worker& worker : workers_) {
      if (!worker.must_end || micro::Clock::now() < *worker.must_end) continue;
      std::printf("stuck: %s has not ended %lld s after its deadline\n", worker.what.c_str(),
                  static_cast<long long>(std::chrono::duration_cast<std::chrono::seconds>(options_.grace).count()));
      std::fflush(stdout);
      std::_Exit(1);
    }
  }
}

Task<void> all_of(std::vector<Task<void>> tasks, bool& finished) {
  co_await micro::when_all(std::move(tasks));
  finished = true;
}

Task<void> Soak::run() {
  end_ = micro::Clock::now() + options_.time;
  workers_.resize(options_.concurrency);
  std::vector<Task<void>> tasks;
  for (Worker& worker : workers_) tasks.push_back(work(worker));
  std::vector<Task<void>> both;
  both.push_back(all_of(std::move(tasks), finished_));
  both.push_back(watch());
  co_await micro::when_all(std::move(both));
}

Task<void> Soak::recover() {
  const micro::TimePoint limit = micro::Clock::now() + 20s;
  for (int good = 0; good < 20 && micro::Clock::now() < limit;) {
    Plan plan;
    plan.id = options_.number * 1'000'000'000ULL + ++begun_;
    plan.size = 100;
    plan.carrier = static_cast<Carrier>(good % 3);
    if (plan.carrier == Carrier::kEvents) plan.kind = Kind::kCount;
    plan.target = static_cast<std::size_t>(good) % options_.addresses.size();
    Context context;
    context.set_timeout(2s);
    const Result<void> result = co_await calls_.make(context, plan);
    good = result ? good + 1 : 0;
    recovered_ = good == 20;
    if (!result) co_await micro::sleep_for(50ms);
  }
}

int Soak::report(const micro::rpc::ClientCounters& counters) const {
  std::printf("{\"calls\": %zu, \"wrong\": %zu, \"recovered\": %s, \"latest_ms\": %.1f, \"attempts\": %zu, \"retries\": %zu, ",
              begun_, wrong_count_, recovered_ ? "true" : "false", std::chrono::duration<double, std::milli>(latest_).count(),
              static_cast<std::size_t>(counters.attempts), static_cast<std::size_t>(counters.retries));
  std::printf("\"connects\": %zu, ", static_cast<std::size_t>(counters.connects));
  const char* comma = "";
  for (const auto& [name, counts] : {std::pair{"outcomes", &outcomes_}, {"good", &good_}}) {
    std::printf("\"%s\": {", name);
    comma = "";
    for (const auto& [what, times] : *counts) {
      std::printf("%s\"%s\": %zu", comma, what.c_str(), times);
      comma = ", ";
    }
    std::printf("}, ");
  }
  std::printf("\"errors\": [");
  comma = "";
  for (std::string error : wrong_) {
    std::ranges::replace_if(error, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 32; }, '\'');
    std::printf("%s\"%s\"", comma, error.c_str());
    comma = ", ";
  }
  std::printf("]}\n");
  return wrong_count_ == 0 && recovered_ ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  micro::Flags flags("soak_client", "Calls a soak_server in every way.", "1", "SOAK");
  flags.add("address", options.addresses, "where to call; several times for several");
  flags.add("time", options.time, "for how long");
  flags.add("requests", options.requests, "at most so many calls");
  flags.add("concurrency", options.concurrency, "calls at a time");
  flags.add("seed", options.seed, "of the random choices");
  flags.add("number", options.number, "of this process");
  flags.add("strict", options.strict, "no fault is on the way");
  flags.add("grace", options.grace, "how much longer than its deadline a call may take");
  flags.add("authority", options.authority, "call by TLS, and trust servers this one signs for: a PEM file");
  const auto parsed = flags.parse(argc, argv);
  if (!parsed || !parsed->text.empty()) {
    std::fputs((parsed ? parsed->text : parsed.error().message() + "\n").c_str(), stderr);
    return parsed ? 0 : 2;
  }
  micro::ServiceOptions service_options;
  service_options.name = "soak_client";
  service_options.address = "127.0.0.1:0";
  service_options.registry_name = "memory";
  service_options.register_node = false;
  service_options.loops = 1;
  service_options.settle_delay = 0ms;
  service_options.client.keepalive_interval = 1s;
  // A busy server may be late with its answer to a PING; where no fault is on the way that is none either.
  service_options.client.keepalive_timeout = options.strict ? 30s : 1s;
  service_options.log.level = micro::log::Level::kError;
  service_options.tls.ca = options.authority;
  service_options.tls.calls_only = !options.authority.empty();
  micro::Service service(service_options);
  if (auto started = service.start(); !started) {
    std::fprintf(stderr, "soak_client: %s\n", started.error().to_string().c_str());
    return 2;
  }
  micro::web::CallOptions web;
  web.open_timeout = options.strict ? 30s : 5s;
  web.keepalive_interval = service_options.client.keepalive_interval;
  web.keepalive_timeout = service_options.client.keepalive_timeout;
  if (!options.authority.empty()) {
    auto trusted = micro::tls::ClientCredentials::load({.trusted = options.authority});
    if (!trusted) {
      std::fprintf(stderr, "soak_client: %s\n", trusted.error().to_string().c_str());
      return 2;
    }
    web.tls = std::move(*trusted);
  }
  soak::Calls calls(service.client(), options.addresses, std::move(web), !options.authority.empty());
  Soak soak(calls, options);
  service.run_on_loop(soak.run());
  std::puts("done");
  std::fflush(stdout);
  std::getchar();
  service.run_on_loop(soak.recover());
  const int status = soak.report(service.client().counters());
  std::fflush(stdout);
  service.stop();
  return status;
}
