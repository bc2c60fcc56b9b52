// A load generator for HTTP/1.1 and JSON that sends requests when their time has come, which wrk cannot.
#include <getopt.h>

#include "http1_connection.hpp"
#include "socket.hpp"

namespace {

using namespace bench;

constexpr char kUsage[] =
    "usage: http_load [options] IPV4:PORT\n"
    "  -c N     connections, one request outstanding on each (1)\n"
    "  -n N     requests in all (no limit)\n"
    "  -d SECS  stop sending after this time (1 when -n is not given)\n"
    "  -p PATH  where to post (/greeter.Greeter/Hello)\n"
    "  -N NAME  name to greet, without characters that JSON escapes (John Smith)\n"
    "  -r RATE  requests per second in all, sent when their time has come; latencies count from that time (as fast as "
    "answered);\n"
    "           needs -n\n"
    "Prints one line of JSON: times in seconds, latencies in microseconds. Exit status 1 if a request failed.\n";

struct Options {
  Plan plan;
  std::string path = "/greeter.Greeter/Hello";
  std::string name = "John Smith";
};

Options parse(int argc, char** argv) {
  Options options;
  for (int option; (option = getopt(argc, argv, "c:n:d:p:N:r:")) != -1;) {
    switch (option) {
      case 'c':
        options.plan.connections = static_cast<unsigned>(std::atoi(optarg));
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
      default:
        die(kUsage);
    }
  }
  if (optind + 1 != argc || !complete(options.plan)) die(kUsage);
  options.plan.address = argv[optind];
  return options;
}

Exchange make_exchange(const Options& options) {
  const std::string body = R"({"name":")" + options.name + "\"}";
  return {.request = "POST " + options.path + " HTTP/1.1\r\nHost: " + options.plan.address +
                     "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
          .reply_body = R"({"message":"Hello )" + options.name + "\"}"};
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const Exchange exchange = make_exchange(options);
  Run run = make_run(options.plan);
  const int epoll = check(epoll_create1(0), "epoll_create1");
  std::vector<std::unique_ptr<Http1Connection>> connections;
  for (unsigned i = 0; i < options.plan.connections; ++i) {
    connections.push_back(std::make_unique<Http1Connection>(options.plan.address, epoll, exchange, run));
  }
  const double seconds = drive(options.plan, run, epoll, connections);
  return report(options.plan, run, seconds, "http_load");
}
