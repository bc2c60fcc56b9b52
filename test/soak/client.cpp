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
#include <vector>

#include <micro/coro/sleep.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/flags/flags.hpp>
#include <micro/loop/loop.hpp>
#include <micro/loop/timer.hpp>
#include <micro/service/service.hpp>

#include "soak.micro.hpp"
#include "text.hpp"

namespace {

using namespace std::chrono_literals;
using micro::Code;
using micro::Context;
using micro::Result;
using micro::Task;
using soak::Ping;
using soak::Pong;

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
};

// What a call is, drawn before it starts.
struct Plan {
  std::uint64_t id = 0;
  std::size_t size = 0;
  std::uint32_t count = 1;
  std::uint32_t wait = 0;
  micro::Duration timeout{};
  std::optional<micro::Duration> cancel_after;
  bool drop = false;  // streams: given up in the middle
};

class Wrong : public std::runtime_error {
  using runtime_error::runtime_error;
};

class Soak {
 public:
  Soak(micro::rpc::Client& client, const Options& options) : service_(client), options_(options), random_(options.seed) {
    call_options_.addresses = options.addresses;
    idempotent_ = call_options_;
    idempotent_.idempotent = true;
  }

  Task<void> run();
  // Whether twenty calls in a row were answered well, before long.
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
  Task<Result<void>> call(Context& context, const Plan& plan, std::size_t kind);
  Task<Result<void>> echo(Context& context, const Plan& plan);
  Task<Result<void>> count(Context& context, const Plan& plan);
  Task<Result<void>> sum(Context& context, const Plan& plan);
  Task<Result<void>> chat(Context& context, const Plan& plan);
  void judge(const char* kind, const Plan& plan, const Result<void>& result);
  void wrong(std::string what);

  soak::Soak::Client service_;
  const Options& options_;
  micro::rpc::CallOptions call_options_;
  micro::rpc::CallOptions idempotent_;
  std::mt19937_64 random_;
  micro::TimePoint end_;
  std::vector<Worker> workers_;
  std::size_t begun_ = 0;
  bool finished_ = false;
  bool recovered_ = false;
  micro::Duration latest_{};  // behind a deadline
  std::map<std::string, std::size_t> outcomes_;
  std::size_t wrong_count_ = 0;
  std::vector<std::string> wrong_;
};

constexpr const char* kKinds[] = {"echo", "count", "sum", "chat"};

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
  return plan;
}

void expect(bool right, const char* what) {
  if (!right) throw Wrong(what);
}

void expect_pong(const Pong& pong, const Plan& plan, std::uint32_t index) {
  expect(pong.id() == plan.id, "the answer to another request");
  expect(pong.index() == index, "a message out of order");
  expect(pong.text().size() == plan.size && soak::is_text_of(plan.id, pong.text()), "another text");
}

Ping ping(const Plan& plan, std::uint32_t index) {
  Ping ping;
  ping.set_id(plan.id);
  ping.set_index(index);
  ping.set_text(soak::text_of(plan.id, plan.size));
  ping.set_reply_size(static_cast<std::uint32_t>(plan.size));
  ping.set_count(plan.count);
  return ping;
}

Task<Result<void>> Soak::echo(Context& context, const Plan& plan) {
  Ping request = ping(plan, 0);
  request.set_wait_milliseconds(plan.wait);
  auto reply = co_await service_.Echo(context, request, idempotent_);
  if (!reply) co_return micro::fail(std::move(reply.error()));
  expect_pong(*reply, plan, 0);
  co_return Result<void>{};
}

Task<Result<void>> Soak::count(Context& context, const Plan& plan) {
  const Ping request = ping(plan, 0);
  auto stream = co_await service_.Count(context, request, call_options_);
  if (!stream) co_return micro::fail(std::move(stream.error()));
  Pong pong;
  for (std::uint32_t i = 0;; ++i) {
    if (plan.drop && i > plan.count / 2) co_return Result<void>{};
    auto more = co_await stream->read(pong);
    if (!more) co_return micro::fail(std::move(more.error()));
    if (!*more) {
      expect(i == plan.count, "a good end before the last message");
      co_return Result<void>{};
    }
    expect_pong(pong, plan, i);
  }
}

Task<Result<void>> Soak::sum(Context& context, const Plan& plan) {
  auto stream = co_await service_.Sum(context, call_options_);
  if (!stream) co_return micro::fail(std::move(stream.error()));
  for (std::uint32_t i = 0; i <= plan.count; ++i) {
    if (plan.drop && i > plan.count / 2) co_return Result<void>{};
    const Ping message = ping(plan, i);
    auto written = co_await stream->write(message);
    if (!written) co_return micro::fail(std::move(written.error()));
  }
  auto reply = co_await stream->finish();
  if (!reply) co_return micro::fail(std::move(reply.error()));
  expect_pong(*reply, plan, plan.count + 1);
  co_return Result<void>{};
}

Task<Result<void>> Soak::chat(Context& context, const Plan& plan) {
  auto stream = co_await service_.Chat(context, call_options_);
  if (!stream) co_return micro::fail(std::move(stream.error()));
  Pong pong;
  for (std::uint32_t i = 0; i < plan.count; ++i) {
    if (plan.drop && i > plan.count / 2) co_return Result<void>{};
    const Ping message = ping(plan, i);
    auto written = co_await stream->write(message);
    if (!written) co_return micro::fail(std::move(written.error()));
    auto more = co_await stream->read(pong);
    if (!more) co_return micro::fail(std::move(more.error()));
    expect(*more, "a good end before the last message");
    expect_pong(pong, plan, i);
  }
  auto closed = co_await stream->close_send();
  if (!closed) co_return closed;
  auto more = co_await stream->read(pong);
  if (!more) co_return micro::fail(std::move(more.error()));
  expect(!*more, "a message behind the last");
  co_return Result<void>{};
}

Task<Result<void>> Soak::call(Context& context, const Plan& plan, std::size_t kind) {
  using Method = Task<Result<void>> (Soak::*)(Context&, const Plan&);
  constexpr Method methods[] = {&Soak::echo, &Soak::count, &Soak::sum, &Soak::chat};
  return (this->*methods[kind])(context, plan);
}

// An error is clean when it says what happened on the way, or what the call asked for itself.
void Soak::judge(const char* kind, const Plan& plan, const Result<void>& result) {
  const Code code = result ? Code::kOk : result.error().code();
  ++outcomes_[std::string(to_string(code))];
  if (result || code == Code::kDeadlineExceeded) return;
  if (code == Code::kCancelled && plan.cancel_after) return;
  if (code == Code::kUnavailable && !options_.strict) return;
  wrong(std::string(kind) + " " + std::to_string(plan.id) + ": " + result.error().to_string());
}

Task<void> Soak::work(Worker& worker) {
  micro::Loop& loop = *micro::Loop::current();
  while (begun_ < options_.requests && micro::Clock::now() < end_) {
    const Plan plan = this->plan();
    const std::size_t kind = draw(std::size(kKinds));
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
    worker.what = std::string(kKinds[kind]) + " " + std::to_string(plan.id);
    try {
      const Result<void> result = co_await call(context, plan, kind);
      judge(kKinds[kind], plan, result);
    } catch (const Wrong& error) {
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
    Context context;
    context.set_timeout(2s);
    const Result<void> result = co_await echo(context, plan);
    good = result ? good + 1 : 0;
    recovered_ = good == 20;
    if (!result) co_await micro::sleep_for(50ms);
  }
}

int Soak::report(const micro::rpc::ClientCounters& counters) const {
  std::printf("{\"calls\": %zu, \"wrong\": %zu, \"recovered\": %s, \"latest_ms\": %.1f, \"attempts\": %zu, \"retries\": %zu, ",
              begun_, wrong_count_, recovered_ ? "true" : "false", std::chrono::duration<double, std::milli>(latest_).count(),
              static_cast<std::size_t>(counters.attempts), static_cast<std::size_t>(counters.retries));
  std::printf("\"connects\": %zu, \"outcomes\": {", static_cast<std::size_t>(counters.connects));
  const char* comma = "";
  for (const auto& [code, times] : outcomes_) {
    std::printf("%s\"%s\": %zu", comma, code.c_str(), times);
    comma = ", ";
  }
  std::printf("}, \"errors\": [");
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
  micro::Service service(service_options);
  if (auto started = service.start(); !started) {
    std::fprintf(stderr, "soak_client: %s\n", started.error().to_string().c_str());
    return 2;
  }
  Soak soak(service.client(), options);
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
