// Unary calls by the framework's generated client. Prints one line of JSON with the processor time of this process.
#include <cstdio>

#include <micro/coro/gate.hpp>
#include <micro/service/service.hpp>

#include "greeter.micro.hpp"
#include "usage.hpp"

namespace {

struct Run {
  greeter::Greeter::Client client;
  micro::rpc::CallOptions options;
  std::uint64_t left;
  std::uint64_t ok = 0;
};

// One of the calls outstanding: the next one begins when this one has ended.
micro::Task<void> call_until_done(Run& run, micro::Gate::Holder) {
  greeter::HelloRequest request;
  request.set_name("John Smith");
  while (run.left > 0) {
    --run.left;
    micro::Context context;
    const auto reply = co_await run.client.Hello(context, request, run.options);
    if (!reply || reply->message() != "Hello John Smith") {
      std::fprintf(stderr, "%s\n", reply ? "wrong answer" : reply.error().to_string().c_str());
      std::exit(1);
    }
    ++run.ok;
  }
}

micro::Task<void> call_all(Run& run, unsigned outstanding) {
  micro::Gate gate;
  for (unsigned i = 0; i < outstanding; ++i) micro::spawn(call_until_done(run, gate.enter()));
  co_await gate.close();
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments = bench::parse(argc, argv);
  micro::ServiceOptions options;
  options.name = "bench-client";
  options.address = "127.0.0.1:0";
  options.registry_name = "memory";
  options.register_node = false;
  options.loops = 1;
  options.log.level = micro::log::Level::kWarn;
  options.client.connections_per_node = arguments.connections;
  micro::Service service(options);
  if (auto started = service.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().to_string().c_str());
    return 1;
  }
  Run run{greeter::Greeter::Client(service.client()), {}, arguments.calls};
  run.options.addresses.push_back(arguments.address);
  const bench::Measurement measurement;
  service.run_on_loop(call_all(run, arguments.connections * arguments.streams));
  measurement.report(run.ok);
  service.stop();
  return run.ok == arguments.calls ? 0 : 1;
}
