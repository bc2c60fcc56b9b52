// What a unary call costs the client's thread: a server that answers with prepared bytes runs on a thread of its own.
#include <benchmark/benchmark.h>

#include <ctime>
#include <future>
#include <memory>
#include <vector>

#include <google/protobuf/wrappers.pb.h>

#include <micro/client/client.hpp>
#include <micro/codecs/protobuf.hpp>
#include <micro/coro/gate.hpp>
#include <micro/http2/session.hpp>
#include <micro/net/listener.hpp>

namespace micro::client {
namespace {

class Answerer final : public http2::Events {
 public:
  static Detached serve(std::unique_ptr<net::Stream> socket, Gate::Holder) {
    Answerer self;
    std::vector<char> buffer(64 * 1024);
    while (true) {
      const Result<std::size_t> count = co_await socket->read_some(buffer);
      if (!count || *count == 0 || !self.session_.feed({buffer.data(), *count}, socket->loop().now())) break;
      Chain& out = self.session_.output();
      while (!out.empty()) {
        std::string_view pieces[64];
        const Result<std::size_t> taken = socket->try_write(std::span(pieces, out.gather(pieces)));
        if (!taken || *taken == 0) break;
        out.consume(*taken);
      }
    }
    self.session_.abort(http2::ErrorCode::kCancel);
  }

 private:
  Answerer() {
    const http2::Field head[] = {{":status", "200"}, {"content-type", "application/grpc"}};
    const http2::Field end[] = {{"grpc-status", "0"}};
    http2::encode_static(head, head_);
    http2::encode_static(end, end_);
  }
  void on_headers(http2::Stream&, const http2::HeaderBlock&, bool) override {}
  void on_trailers(http2::Stream&, const http2::HeaderBlock&) override {}
  void on_reset(http2::Stream&, http2::ErrorCode, bool) override {}
  void on_close(http2::Stream&) override {}
  void on_data(http2::Stream& stream, std::string_view, bool end) override {
    if (!end) return;
    session_.submit_encoded_headers(stream, head_.view(), false);
    session_.submit_data(stream, std::string_view("\0\0\0\0\x0c\x0a\x0aHello John", 17), false);
    session_.submit_encoded_headers(stream, end_.view(), true);
  }

  http2::Session session_{http2::Role::kServer, {}, *this};
  Buffer head_, end_;
};

Task<void> accept(net::Listener& listener, Gate& gate) {
  while (true) {
    auto socket = co_await listener.accept();
    if (!socket) co_return;
    Answerer::serve(std::move(*socket), gate.enter());
  }
}

double thread_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Task<void> caller(rpc::Client& client, const rpc::CallOptions& options, std::size_t count, std::size_t& failed) {
  google::protobuf::StringValue request, reply;
  request.set_value("John");
  Context context;
  for (std::size_t i = 0; i < count; ++i) {
    const Result<void> done =
        co_await client.call(context, "greeter", "greeter.Greeter", "Hello", codec::ref(request), codec::ref(reply), options);
    if (!done) ++failed;
  }
}

Task<void> all_callers(rpc::Client& client, const rpc::CallOptions& options, std::size_t callers, std::size_t calls,
                       std::size_t& failed, double& cpu) {
  const double before = thread_cpu_seconds();
  std::size_t left = callers;
  Event done;
  const auto one = [&]() -> Task<void> {
    co_await caller(client, options, calls, failed);
    if (--left == 0) done.set();
  };
  for (std::size_t i = 0; i < callers; ++i) spawn(one());
  co_await done.wait();
  cpu = thread_cpu_seconds() - before;
}

// Arguments: calls under way at a time, connections.
void unary(benchmark::State& state) {
  const auto callers = static_cast<std::size_t>(state.range(0));
  LoopGroup serving(LoopGroup::Options{.size = 1});
  LoopGroup calling(LoopGroup::Options{.size = 1});
  auto listener = net::Listener::listen(serving.loop(0), Address::parse("127.0.0.1:0").value(), {}).value();
  Gate gate;
  serving.loop(0).post_remote([&] { spawn(accept(*listener, gate)); });
  rpc::ClientOptions client_options;
  client_options.connections_per_node = static_cast<std::size_t>(state.range(1));
  rpc::Client client(calling, nullptr, client_options);
  rpc::CallOptions options;
  options.addresses = {listener->address().to_string()};
  serving.start();
  calling.start();
  const auto run = [](Loop& loop, auto make_task) {
    std::promise<void> finished;
    const auto wrap = [&]() -> Task<void> {
      co_await make_task();
      finished.set_value();
    };
    loop.post_remote([&] { spawn(wrap()); });
    finished.get_future().wait();
  };
  constexpr std::size_t kCalls = 200;
  std::size_t failed = 0;
  std::size_t calls = 0;
  double cpu = 0;
  double spent = 0;
  run(calling.loop(0), [&] { return all_callers(client, options, callers, kCalls, failed, cpu); });
  for (auto _ : state) {
    run(calling.loop(0), [&] { return all_callers(client, options, callers, kCalls, failed, cpu); });
    calls += callers * kCalls;
    spent += cpu;
  }
  run(calling.loop(0), [&] { return client.stop(Clock::now() + std::chrono::seconds(5)); });
  const auto close = [&]() -> Task<void> {
    listener->close();
    co_await gate.close();
  };
  run(serving.loop(0), close);
  if (failed != 0) state.SkipWithError("calls failed");
  state.counters["client_us_per_call"] = spent / static_cast<double>(calls) * 1e6;
  state.counters["calls"] = benchmark::Counter(static_cast<double>(calls), benchmark::Counter::kIsRate);
}
BENCHMARK(unary)->Args({1, 1})->Args({10, 1})->Args({100, 1})->Args({100, 10})->Args({1000, 1})->UseRealTime();

}  // namespace
}  // namespace micro::client
