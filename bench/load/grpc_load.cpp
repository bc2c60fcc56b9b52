// A load generator for gRPC calls that costs a third of a microsecond a request, so that it does not become the limit: requests
// are encoded once, replies are recognised by their frame headers and message bytes.
#include <getopt.h>

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
    "  -r RATE  requests per second in all, sent when their time has come; latencies count from that time (as fast as "
    "answered);\n"
    "           needs -n\n"
    "  -S N     call Countdown instead: each request is answered by a stream of N messages\n"
    "  -C N     call Collect instead: each request is a stream of N names\n"
    "  -B N     call Chat instead: each request is a stream of N lines, each line is answered\n"
    "  -M       with metadata: grpc-timeout and a new trace id in every request\n"
    "Prints one line of JSON: times in seconds, latencies in microseconds. Exit status 1 if a request failed.\n";

struct Options {
  Plan plan;
  std::string path = "/greeter.Greeter/Hello";
  std::string name = "John Smith";
  bool metadata = false;
  char kind = 'U';             // U, or the letter of a streaming method
  std::uint32_t messages = 0;  // of a stream
};

Options parse(int argc, char** argv) {
  Options options;
  for (int option; (option = getopt(argc, argv, "c:m:n:d:p:N:Mr:S:C:B:")) != -1;) {
    switch (option) {
      case 'c':
        options.plan.connections = static_cast<unsigned>(std::atoi(optarg));
        break;
      case 'm':
        options.plan.streams = static_cast<unsigned>(std::atoi(optarg));
        break;
      case 'n':
        options.plan.requests = static_cast<std::uint64_t>(std::atoll(optarg));
        break;
      case 'd':
        options.plan.seconds = std::atof(optarg);
        break;
      case 'p':
        options.path = optarg;
        break;
      case 'N':
        options.name = optarg;
        break;
      case 'r':
        options.plan.rate = std::atof(optarg);
        break;
      case 'S':
      case 'C':
      case 'B':
        options.kind = static_cast<char>(option);
        options.messages = static_cast<std::uint32_t>(std::atoi(optarg));
        break;
      case 'M':
        options.metadata = true;
        break;
      default:
        die(kUsage);
    }
  }
  if (optind + 1 != argc || !complete(options.plan) || (options.kind != 'U' && options.messages == 0)) die(kUsage);
  if (options.name.size() > 100 || options.path.size() > 100) die("-N and -p take up to 100 bytes");
  options.plan.address = argv[optind];
  return options;
}

std::string repeated(std::uint32_t times, const std::string& text) {
  std::string all;
  for (; times > 0; --times) all += text;
  return all;
}

Requests make_requests(const Options& options) {
  const std::string& address = options.plan.address;
  const std::uint32_t count = options.messages;
  switch (options.kind) {
    case 'S': {
      std::string reply;
      for (std::uint32_t value = count; value-- > 0;) reply += grpc_message(value);
      return {address, "/greeter.Greeter/Countdown", grpc_message(count - 1), 1, std::move(reply), options.metadata};
    }
    case 'C': {
      // CollectReply: how many, and each name.
      const std::string name = "\x12" + varint(static_cast<std::uint32_t>(options.name.size())) + options.name;
      std::string reply = grpc_frame("\x08" + varint(count) + repeated(count, name));
      return {address, "/greeter.Greeter/Collect", grpc_message(options.name), count, std::move(reply), options.metadata};
    }
    case 'B': {
      std::string reply = repeated(count, grpc_message("you said: " + options.name));
      return {address, "/greeter.Greeter/Chat", grpc_message(options.name), count, std::move(reply), options.metadata};
    }
    default:
      return {address, options.path, grpc_message(options.name), 1, grpc_message("Hello " + options.name), options.metadata};
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  Requests requests = make_requests(options);
  Run run = make_run(options.plan);
  const int epoll = check(epoll_create1(0), "epoll_create1");
  std::vector<std::unique_ptr<Connection>> connections;
  for (unsigned i = 0; i < options.plan.connections; ++i) {
    connections.push_back(std::make_unique<Connection>(options.plan.address, epoll, requests, run));
  }
  const double seconds = drive(options.plan, run, epoll, connections);
  return report(options.plan, run, seconds, "grpc_load");
}
