// Registers one node in the local registry and holds it until the process ends: the tests end it in all kinds of ways.
//
//   registry_hold <directory> <service> <node id> <address> <ttl in milliseconds, 0: none>
//
// Writes "ready" to standard output once it is registered. With a ttl it renews ten times in that time.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include <micro/coro/block_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/registry/local.hpp>

namespace {

using micro::registry::Service;

micro::Task<micro::Result<void>> hold(micro::registry::Local& registry, const Service& service, micro::Duration ttl) {
  micro::Context context;
  const micro::registry::RegisterOptions options{.ttl = ttl};
  for (bool first = true;; first = false) {
    auto registered = co_await registry.register_service(context, service, options);
    if (!registered) co_return registered;
    if (first) {
      std::puts("ready");
      std::fflush(stdout);
    }
    co_await micro::sleep_for(ttl == micro::Duration::zero() ? micro::Duration(std::chrono::hours(1)) : ttl / 10);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  micro::registry::Local::Options options{.directory = argv[1]};
  micro::registry::Local registry(options);
  const Service service{.name = argv[2], .version = "v1", .nodes = {{.id = argv[3], .address = argv[4]}}};
  micro::Loop loop;
  const auto held = micro::block_on(loop, hold(registry, service, std::chrono::milliseconds(std::atoi(argv[5]))));
  std::fprintf(stderr, "%s\n", held.error().to_string().c_str());
  return 1;
}
