// Cost of a unary exchange through a server session: HEADERS + DATA in, HEADERS + DATA + trailers out, no sockets.
#include <cstring>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include <micro/http2/session.hpp>

namespace micro::http2 {
namespace {

constexpr std::string_view kReply = "0123456789abcdef";

std::string static_block(std::initializer_list<Field> fields) {
  Buffer out;
  encode_static({fields.begin(), fields.size()}, out);
  return std::string(out.view());
}

const std::string kHead = static_block({{":status", "200"}, {"content-type", "application/grpc"}});
const std::string kTrailers = static_block({{"grpc-status", "0"}});

class Unary final : public Events {
 public:
  void on_headers(Stream&, const HeaderBlock& block, bool) override { benchmark::DoNotOptimize(block.path.data()); }
  void on_data(Stream& stream, std::string_view data, bool end_stream) override {
    session->consumed(stream, data.size());
    if (!end_stream) return;
    session->submit_encoded_headers(stream, kHead, false);
    char* const out = session->begin_data(stream, kReply.size());
    std::memcpy(out, kReply.data(), kReply.size());
    session->commit_data(stream, kReply.size(), false);
    session->submit_encoded_headers(stream, kTrailers, true);
  }
  void on_trailers(Stream&, const HeaderBlock&) override {}
  void on_reset(Stream&, ErrorCode, bool) override {}
  void on_close(Stream&) override {}
  Session* session = nullptr;
};

class Sink final : public Events {
 public:
  void on_headers(Stream&, const HeaderBlock&, bool) override {}
  void on_data(Stream&, std::string_view, bool) override {}
  void on_trailers(Stream&, const HeaderBlock&) override {}
  void on_reset(Stream&, ErrorCode, bool) override {}
  void on_close(Stream&) override {}
};

// What a client sends is produced by a client session of our own, outside the measured time, in batches of 100 requests.
void exchange(benchmark::State& state, bool dynamic, bool metadata) {
  Sink sink;
  Unary unary;
  Session client(Role::kClient, {}, sink);
  Session server(Role::kServer, {}, unary);
  unary.session = &server;
  const auto move = [](Session& from, Session& to) {
    const std::string bytes(from.output().flatten());
    from.output().clear();
    if (!to.feed(bytes, TimePoint{})) std::abort();
  };
  move(client, server);
  move(server, client);
  const std::string prefix = static_block({{":method", "POST"},
                                           {":scheme", "http"},
                                           {":path", "/helloworld.Greeter/SayHello"},
                                           {":authority", "127.0.0.1:50051"},
                                           {"te", "trailers"},
                                           {"content-type", "application/grpc"},
                                           {"user-agent", "bench/1"}});
  std::uint64_t serial = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (int i = 0; i < 100; ++i) {
      const std::string trace = "0123456789abcdef0123456" + std::to_string(100000000 + serial++);
      const Field extra[] = {{"x-trace-id", trace}, {"grpc-timeout", "1S"}};
      Stream* stream = nullptr;
      if (dynamic) {
        const Field fields[] = {{":method", "POST"},
                                {":scheme", "http"},
                                {":path", "/helloworld.Greeter/SayHello"},
                                {":authority", "127.0.0.1:50051"},
                                {"te", "trailers"},
                                {"content-type", "application/grpc"},
                                {"user-agent", "bench/1"},
                                {"x-trace-id", trace}};
        stream = client.open(std::span(fields, metadata ? 8 : 7), false);
      } else {
        stream = client.open_encoded(prefix, std::span(extra, metadata ? 2 : 0), false);
      }
      client.submit_data(*stream, "0123456789", true);
    }
    const std::string request(client.output().flatten());
    client.output().clear();
    state.ResumeTiming();
    if (!server.feed(request, TimePoint{})) std::abort();
    state.PauseTiming();
    move(server, client);
    move(client, server);
    state.ResumeTiming();
  }
  state.counters["per_exchange"] = benchmark::Counter(static_cast<double>(state.iterations()) * 100,
                                                      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK_CAPTURE(exchange, same_static_block, false, false);
BENCHMARK_CAPTURE(exchange, static_block_and_metadata, false, true);
BENCHMARK_CAPTURE(exchange, dynamic_table, true, false);
BENCHMARK_CAPTURE(exchange, dynamic_table_and_metadata, true, true);

}  // namespace
}  // namespace micro::http2
