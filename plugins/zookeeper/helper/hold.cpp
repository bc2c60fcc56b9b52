// Registers one node in ZooKeeper and renews it until the process ends: the tests pause it.
//
//   zookeeper_hold <server> <node id> <session timeout in milliseconds>
//
// Renews ten times a second, with a time to live that is never reached.

#include <cstdio>
#include <cstdlib>

#include <micro/coro/block_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/zookeeper/registry.hpp>

namespace {

micro::Task<void> hold(micro::registry::Registry& registry, const micro::registry::Service& service) {
  micro::Context context;
  const micro::registry::RegisterOptions options{.ttl = std::chrono::hours(1)};
  for (;;) {
    const auto registered = co_await registry.register_service(context, service, options);
    if (!registered) std::fprintf(stderr, "%s\n", registered.error().to_string().c_str());
    co_await micro::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  micro::zookeeper::Options options;
  options.servers = {argv[1]};
  options.session_timeout = std::chrono::milliseconds(std::atoi(argv[3]));
  const auto registry = micro::zookeeper::Registry::make(options).value();
  const micro::registry::Service service{
      .name = "greeter", .version = "v1", .nodes = {{.id = argv[2], .address = "10.0.0.1:80"}}};
  micro::Loop loop;
  micro::block_on(loop, hold(*registry, service));
}
