#include "session.hpp"

#include <micro/coro/run_on.hpp>

namespace micro::tool {
namespace {

LoopGroup::Options one_loop() {
  LoopGroup::Options options;
  options.size = 1;
  return options;
}

Task<void> close(rpc::Client& client, registry::Cache& cache) {
  co_await client.stop(Loop::current()->now());
  co_await cache.stop();
}

}  // namespace

void CommonOptions::add_to(Flags& flags, const Plugins& plugins) {
  flags.add("registry", registry, "registry to use: " + plugins.registry_names());
  flags.add("registry_address", registry_address, "where the registry is; for local: a directory");
  flags.add("timeout", timeout, "give up after this");
}

Result<std::unique_ptr<Session>> Session::open(const CommonOptions& options, const Plugins& plugins) {
  auto registry = plugins.make_registry(options.registry, options.registry_address);
  if (!registry) return std::unexpected(std::move(registry.error()));
  return std::unique_ptr<Session>(new Session(std::move(*registry)));
}

Session::Session(std::shared_ptr<registry::Registry> registry) : registry_(std::move(registry)), loops_(one_loop()), cache_(registry_) {
  loops_.start();
  loops_.loop(0).post_remote([this] { cache_.start(loops_.loop(0)); });
  client_.start(loops_, &cache_, rpc::ClientOptions{});
}

Session::~Session() {
  run(close(client_, cache_));
  loops_.stop();
  loops_.join();
}

void Session::run(Task<void> task) { run_on(loops_.loop(0), std::move(task)); }

}  // namespace micro::tool
