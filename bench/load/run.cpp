#include "run.hpp"

#include <chrono>
#include <cstdio>

namespace bench {

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

bool complete(Plan& plan) {
  if (plan.connections == 0 || plan.streams == 0) return false;
  if (plan.requests == 0 && plan.seconds <= 0) plan.seconds = 1;
  return plan.rate <= 0 || plan.requests > 0;
}

Run make_run(const Plan& plan) {
  return {.to_send = plan.requests ? plan.requests : UINT64_MAX, .streams = plan.streams, .scheduled = plan.rate > 0};
}

int wait_for_events(int epoll, std::vector<epoll_event>& events, std::uint64_t until_ns) {
  const std::uint64_t now = now_ns();
  const std::uint64_t left = until_ns > now ? until_ns - now : 0;
  const timespec limit{.tv_sec = static_cast<time_t>(left / 1'000'000'000), .tv_nsec = static_cast<long>(left % 1'000'000'000)};
  return epoll_pwait2(epoll, events.data(), static_cast<int>(events.size()), &limit, nullptr);
}

int report(const Plan& plan, const Run& run, double seconds, const char* program) {
  std::printf(
      "{\"connections\": %u, \"streams\": %u, \"ok\": %llu, \"failed\": %llu, \"seconds\": %.3f, \"rps\": %.0f, "
      "\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f}\n",
      plan.connections, plan.streams, static_cast<unsigned long long>(run.ok), static_cast<unsigned long long>(run.failed),
      seconds, static_cast<double>(run.ok) / std::max(seconds, 1e-9), run.latency.percentile_us(0.5),
      run.latency.percentile_us(0.99), run.latency.percentile_us(0.999), run.latency.percentile_us(1));
  if (!run.first_failure.empty()) std::fprintf(stderr, "%s: %s\n", program, run.first_failure.c_str());
  return run.failed == 0 && run.first_failure.empty() ? 0 : 1;
}

}  // namespace bench
