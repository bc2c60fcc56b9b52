// A load generator for unary gRPC calls that costs a third of a microsecond a request, so that it does not become the limit:
// requests are encoded once, replies are recognised by their frame headers and message bytes.
#include <getopt.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "connection.hpp"
#include "socket.hpp"

namespace {

using namespace bench;

constexpr char kUsage[] =
    "usage: grpc_load [options] IPV4:PORT\n"
    "  -c N     connections (1)\n"
    "  -m N     requests outstanding on each (1)\n"
    "  -n N     requests in all (no limit)\n"
    "  -d SECS  stop sending after this time (1 when -n is not given)\n"
    "  -p PATH  method to call (/greeter.Greeter/Hello)\n"
    "  -N NAME  name to greet (John Smith)\n"
    "  -r RATE  requests per second in all, sent when their time has come; latencies count from that time (as fast as answered)\n"
    "  -S N     call Countdown instead: each request is answered by a stream of N messages\n"
    "  -M       with metadata: grpc-timeout and a new trace id in every request\n"
    "Prints one line of JSON: times in seconds, latencies in microseconds. Exit status 1 if a request failed.\n";

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

struct Options {
  unsigned connections = 1;
  unsigned streams = 1;
  std::uint64_t requests = 0;
  double seconds = 0;
  std::string path = "/greeter.Greeter/Hello";
  std::string name = "John Smith";
  bool metadata = false;
  double rate = 0;
  std::uint32_t stream_messages = 0;
  std::string address;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int option; (option = getopt(argc, argv, "c:m:n:d:p:N:Mr:S:")) != -1;) {
    switch (option) {
      case 'c':
        options.connections = static_cast<unsigned>(std::atoi(optarg));
        break;
      case 'm':
        options.streams = static_cast<unsigned>(std::atoi(optarg));
        break;
      case 'n':
        options.requests = static_cast<std::uint64_t>(std::atoll(optarg));
        break;
      case 'd':
        options.seconds = std::atof(optarg);
        break;
      case 'p':
        options.path = optarg;
        break;
      case 'N':
        options.name = optarg;
        break;
      case 'r':
        options.rate = std::atof(optarg);
        break;
      case 'S':
        options.stream_messages = static_cast<std::uint32_t>(std::atoi(optarg));
        break;
      case 'M':
        options.metadata = true;
        break;
      default:
        die(kUsage);
    }
  }
  if (optind + 1 != argc || options.connections == 0 || options.streams == 0) die(kUsage);
  if (options.name.size() > 100 || options.path.size() > 100) die("-N and -p take up to 100 bytes");
  if (options.requests == 0 && options.seconds <= 0) options.seconds = 1;
  if (options.rate > 0 && options.requests == 0) die("-r needs -n: how many requests in all");
  if (options.stream_messages > 0) options.path = "/greeter.Greeter/Countdown";
  options.address = argv[optind];
  return options;
}

Requests make_requests(const Options& options) {
  if (options.stream_messages == 0) {
    return {options.address, options.path, grpc_message(options.name), grpc_message("Hello " + options.name), options.metadata};
  }
  std::string reply;
  for (std::uint32_t value = options.stream_messages; value-- > 0;) reply += grpc_message(value);
  return {options.address, options.path, grpc_message(options.stream_messages - 1), std::move(reply), options.metadata};
}

// Waits for events until `until_ns`, to the nanosecond: at 40,000 requests a second a millisecond is forty of them.
int wait(int epoll, std::vector<epoll_event>& events, std::uint64_t until_ns) {
  const std::uint64_t now = now_ns();
  const std::uint64_t left = until_ns > now ? until_ns - now : 0;
  const timespec limit{.tv_sec = static_cast<time_t>(left / 1'000'000'000), .tv_nsec = static_cast<long>(left % 1'000'000'000)};
  return epoll_pwait2(epoll, events.data(), static_cast<int>(events.size()), &limit, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::uint64_t kDrainNs = 5'000'000'000;  // a server that has not answered by then has lost the request
  const Options options = parse(argc, argv);
  Requests requests = make_requests(options);
  Run run{.to_send = options.requests ? options.requests : UINT64_MAX, .streams = options.streams, .scheduled = options.rate > 0};
  const int epoll = check(epoll_create1(0), "epoll_create1");
  std::vector<std::unique_ptr<Connection>> connections;
  for (unsigned i = 0; i < options.connections; ++i) {
    connections.push_back(std::make_unique<Connection>(options.address, epoll, requests, run));
  }

  const std::uint64_t started = now_ns();
  const std::uint64_t stop_at = options.seconds > 0 ? started + static_cast<std::uint64_t>(options.seconds * 1e9) : UINT64_MAX;
  std::uint64_t last_reply = started;
  std::uint64_t seen = 0;
  std::uint64_t scheduled = 0;
  const auto time_of = [&](std::uint64_t request) { return started + static_cast<std::uint64_t>(request * 1e9 / options.rate); };
  std::vector<epoll_event> events(256);
  while (true) {
    const std::uint64_t tick = now_ns() + 100'000'000;
    const int ready = wait(epoll, events, run.scheduled && run.to_send > 0 ? std::min(tick, time_of(scheduled)) : tick);
    const std::uint64_t now = now_ns();
    if (now >= stop_at) run.to_send = 0;
    for (; run.scheduled && run.to_send > 0 && time_of(scheduled) <= now; --run.to_send, ++scheduled) {
      Connection& connection = *connections[scheduled % connections.size()];
      connection.schedule(time_of(scheduled));
      connection.send(now);
    }
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      static_cast<Connection*>(event.data.ptr)->on_event(event.events, now);
    }
    if (run.frames + run.failed != seen) {
      seen = run.frames + run.failed;
      last_reply = now_ns();
    }
    const auto idle = [](const auto& connection) { return connection->idle(); };
    if (run.to_send == 0 && std::ranges::all_of(connections, idle)) break;
    if (now > last_reply && now - last_reply > kDrainNs) {
      for (auto& connection : connections) connection->abandon("no reply within 5 s");
      break;
    }
  }

  const double seconds = static_cast<double>(last_reply - started) / 1e9;
  std::printf(
      "{\"connections\": %u, \"streams\": %u, \"ok\": %llu, \"failed\": %llu, \"seconds\": %.3f, \"rps\": %.0f, "
      "\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f}\n",
      options.connections, options.streams, static_cast<unsigned long long>(run.ok), static_cast<unsigned long long>(run.failed),
      seconds, static_cast<double>(run.ok) / std::max(seconds, 1e-9), run.latency.percentile_us(0.5),
      run.latency.percentile_us(0.99), run.latency.percentile_us(0.999), run.latency.percentile_us(1));
  if (!run.first_failure.empty()) std::fprintf(stderr, "grpc_load: %s\n", run.first_failure.c_str());
  return run.failed == 0 && run.first_failure.empty() ? 0 : 1;
}
