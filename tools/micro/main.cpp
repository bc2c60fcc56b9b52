// The command line tool: looks at a fleet of services and calls them; `micro gateway` is the HTTP gateway.
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/gateway/gateway.hpp>
#include <micro/plugins/install.hpp>

#include "commands.hpp"

namespace {

int run_gateway(int argc, char** argv, micro::Plugins plugins) {
  micro::ServiceOptions options;
  options.name = "gateway";
  options.program = "micro gateway";
  options.description = "HTTP gateway: POST /api/<service>/<endpoint> with JSON calls a service found in the registry.";
  options.address = ":8080";
  micro::Service service(options, std::move(plugins));
  micro::add_gateway(service);
  return service.run(argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  micro::Plugins plugins;
  micro::install_plugins(plugins);
  // A service of its own, with the flags of one.
  if (argc > 1 && std::string_view(argv[1]) == "gateway") return run_gateway(argc - 1, argv + 1, std::move(plugins));

  micro::tool::CommonOptions options;
  std::string service;
  std::string endpoint;
  std::string json;
  micro::Flags flags("micro", "Looks at a fleet of services and calls them.", MICRO_VERSION);
  options.add_to(flags, plugins);
  micro::Flags& call = flags.command("call", "Calls an endpoint: micro call greeter Greeter.Hello '{\"name\":\"John\"}'");
  call.add_argument("service", service, "name in the registry", true);
  call.add_argument("endpoint", endpoint, "as in micro describe", true);
  call.add_argument("json", json, "the request; {} when left out", false);
  options.add_to(call, plugins);
  std::vector<std::string> messages;
  micro::Flags& stream =
      flags.command("stream", "Calls an endpoint that streams: micro stream greeter Greeter.Countdown '{\"from\":3}'");
  stream.add_argument("service", service, "name in the registry", true);
  stream.add_argument("endpoint", endpoint, "as in micro describe", true);
  stream.add_arguments("json", messages, "the requests, one argument each; - for lines of standard input");
  options.add_to(stream, plugins);
  micro::Flags& describe = flags.command("describe", "Shows the nodes and endpoints of a service");
  describe.add_argument("service", service, "name in the registry", true);
  options.add_to(describe, plugins);
  micro::Flags& services = flags.command("services", "Lists the services and their nodes");
  options.add_to(services, plugins);
  flags.command("gateway", "Runs the HTTP gateway; see micro gateway --help");

  const auto parsed = flags.parse(argc, argv);
  if (!parsed) {
    std::fprintf(stderr, "micro: %s\n", parsed.error().message().c_str());
    return 2;
  }
  if (!parsed->text.empty() || parsed->command.empty()) {
    std::fputs(parsed->text.empty() ? flags.help().c_str() : parsed->text.c_str(), stdout);
    return parsed->text.empty() ? 2 : 0;
  }
  auto session = micro::tool::Session::open(options, plugins);
  if (!session) {
    std::fprintf(stderr, "micro: %s\n", session.error().message().c_str());
    return 2;
  }
  if (parsed->command == "services") return micro::tool::list_services(**session, options.timeout);
  if (parsed->command == "describe") return micro::tool::describe_service(**session, service, options.timeout);
  if (parsed->command == "stream") return micro::tool::stream_endpoint(**session, service, endpoint, messages, options.timeout);
  return micro::tool::call_endpoint(**session, service, endpoint, json, options.timeout);
}
