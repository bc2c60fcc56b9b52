#include <benchmark/benchmark.h>

#include <memory>

#include <micro/loop/loop.hpp>
#include <micro/net/connect.hpp>
#include <micro/net/listener.hpp>

namespace micro::net {
namespace {

Task<void> echo(std::unique_ptr<Stream> stream) {
  std::vector<char> buffer(4096);
  for (;;) {
    Result<std::size_t> count = co_await stream->read_some(buffer);
    if (!count || *count == 0) co_return;
    const std::string_view pieces[] = {{buffer.data(), *count}};
    if (!stream->try_write(pieces)) co_return;
  }
}

Task<void> ping_pong(Loop& loop, Address address, benchmark::State& state) {
  ListenOptions options;
  auto listener = Listener::listen(loop, address, options);
  Context context;
  Address real = (*listener)->address();
  auto client = co_await connect(context, real);
  auto server = co_await (*listener)->accept();
  spawn(echo(std::move(*server)));
  std::vector<char> buffer(4096);
  const std::string_view pieces[] = {"0123456789012345678901234567890123456789012345678901234567890123"};
  for (auto _ : state) {
    (*client)->try_write(pieces).value();
    co_await (*client)->read_some(buffer);
  }
  (*client)->close();
  co_await loop.yield();
  loop.stop();
}

// 64 bytes to the other end and back, both ends on one loop.
void BM_EchoRoundTrip(benchmark::State& state, const char* address) {
  Loop loop;
  loop.post_remote([&] { spawn(ping_pong(loop, Address::parse(address).value(), state)); });
  loop.run();
  while (loop.run_once(Duration::zero())) {
  }
}
BENCHMARK_CAPTURE(BM_EchoRoundTrip, tcp, "127.0.0.1:0");
BENCHMARK_CAPTURE(BM_EchoRoundTrip, unix, "unix:/tmp/micro-net-bench.sock");

}  // namespace
}  // namespace micro::net
