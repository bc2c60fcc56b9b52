// The client of gRPC's interoperability suite: client --server_host=HOST --server_port=PORT --test_case=NAME. Ends with 0 when
// the case has passed.
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include <micro/flags/flags.hpp>
#include <micro/service/service.hpp>

#include "cases.hpp"

namespace {

using namespace std::chrono_literals;

struct Options {
  std::string server_host = "localhost";
  std::string server_port;
  std::string test_case = "large_unary";
  std::size_t soak_iterations = 10;
};

micro::Task<void> run(interop::Cases& cases, interop::Cases::Case test, const Options& options, int& status) {
  try {
    co_await (cases.*test)();
    std::printf("%s: ok\n", options.test_case.c_str());
    status = 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", options.test_case.c_str(), error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  micro::Flags flags("interop_client", "Runs one case of gRPC's interoperability suite.", "1", "INTEROP");
  flags.add("server_host", options.server_host, "host of the server");
  flags.add("server_port", options.server_port, "its port");
  flags.add("test_case", options.test_case, "name of the case");
  flags.add("soak_iterations", options.soak_iterations, "calls of rpc_soak and channel_soak");
  const auto parsed = flags.parse(argc, argv);
  if (!parsed || !parsed->text.empty()) {
    std::fputs((parsed ? parsed->text : parsed.error().message() + "\n").c_str(), stderr);
    return parsed ? 0 : 2;
  }
  const interop::Cases::Case test = interop::Cases::find(options.test_case);
  if (test == nullptr) {
    std::fprintf(stderr, "there is no case %s\n", options.test_case.c_str());
    return 2;
  }

  micro::ServiceOptions service_options;
  service_options.name = "interop_client";
  service_options.address = "127.0.0.1:0";
  service_options.registry_name = "memory";
  service_options.register_node = false;
  service_options.loops = 1;
  service_options.settle_delay = 0ms;
  service_options.client.request_timeout = 30s;
  service_options.client.max_receive_message_size = std::size_t{64} << 20;
  service_options.log.level = micro::log::Level::kError;
  micro::Service service(service_options);
  if (auto started = service.start(); !started) {
    std::fprintf(stderr, "interop_client: %s\n", started.error().to_string().c_str());
    return 2;
  }
  int status = 1;
  interop::Cases cases(service.loops(), service.client(), options.server_host + ":" + options.server_port,
                       options.soak_iterations);
  service.run_on_loop(run(cases, test, options, status));
  service.stop();
  return status;
}

interop::Cases::Case interop::Cases::find(std::string_view name) {
  static constexpr std::pair<std::string_view, Case> kCases[] = {
      {"empty_unary", &Cases::empty_unary},
      {"large_unary", &Cases::large_unary},
      {"very_large_unary", &Cases::very_large_unary},
      {"concurrent_large_unary", &Cases::concurrent_large_unary},
      {"client_compressed_unary", &Cases::client_compressed_unary},
      {"server_compressed_unary", &Cases::server_compressed_unary},
      {"client_streaming", &Cases::client_streaming},
      {"client_compressed_streaming", &Cases::client_compressed_streaming},
      {"server_streaming", &Cases::server_streaming},
      {"server_compressed_streaming", &Cases::server_compressed_streaming},
      {"ping_pong", &Cases::ping_pong},
      {"empty_stream", &Cases::empty_stream},
      {"half_duplex", &Cases::half_duplex},
      {"custom_metadata", &Cases::custom_metadata},
      {"status_code_and_message", &Cases::status_code_and_message},
      {"special_status_message", &Cases::special_status_message},
      {"unimplemented_method", &Cases::unimplemented_method},
      {"unimplemented_service", &Cases::unimplemented_service},
      {"cancel_after_begin", &Cases::cancel_after_begin},
      {"cancel_after_first_response", &Cases::cancel_after_first_response},
      {"timeout_on_sleeping_server", &Cases::timeout_on_sleeping_server},
      {"rpc_soak", &Cases::rpc_soak},
      {"channel_soak", &Cases::channel_soak},
  };
  for (const auto& [known, test] : kCases) {
    if (known == name) return test;
  }
  return nullptr;
}
