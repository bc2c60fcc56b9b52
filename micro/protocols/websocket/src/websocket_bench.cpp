#include <string>

#include <benchmark/benchmark.h>

#include <micro/websocket/session.hpp>

namespace micro::websocket {
namespace {

std::string text_of(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i) text += "{\"name\":\"item " + std::to_string(i) + "\"}";
  text.resize(size);
  return text;
}

// One message of a client after another, unmasked and, as text, checked.
void receive(benchmark::State& state, MessageKind kind, std::optional<Deflate> deflate) {
  const auto size = static_cast<std::size_t>(state.range(0));
  Session client(Role::kClient, {}, deflate);
  Session server(Role::kServer, {}, deflate);
  (void)client.send(kind, text_of(size));
  const std::string bytes(client.output().flatten());
  for (auto _ : state) {
    std::string_view input = bytes;
    benchmark::DoNotOptimize(server.next(input));
    benchmark::DoNotOptimize(server.payload().data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
}

void send(benchmark::State& state, Role role, std::optional<Deflate> deflate) {
  const std::string text = text_of(static_cast<std::size_t>(state.range(0)));
  Session session(role, {}, deflate);
  for (auto _ : state) {
    (void)session.send(MessageKind::kText, text);
    benchmark::DoNotOptimize(session.output().front().data());
    session.output().clear();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

// Without a context the same bytes can be received again.
constexpr Deflate kForgetful{.server_no_context_takeover = true, .client_no_context_takeover = true};

BENCHMARK_CAPTURE(receive, text, MessageKind::kText, std::nullopt)->Arg(32)->Arg(1024)->Arg(65536);
BENCHMARK_CAPTURE(receive, binary, MessageKind::kBinary, std::nullopt)->Arg(32)->Arg(1024)->Arg(65536);
BENCHMARK_CAPTURE(receive, deflated_text, MessageKind::kText, kForgetful)->Arg(1024)->Arg(65536);
BENCHMARK_CAPTURE(send, server, Role::kServer, std::nullopt)->Arg(32)->Arg(1024)->Arg(65536);
BENCHMARK_CAPTURE(send, client, Role::kClient, std::nullopt)->Arg(32)->Arg(1024)->Arg(65536);
BENCHMARK_CAPTURE(send, deflating_server, Role::kServer, kForgetful)->Arg(1024)->Arg(65536);

}  // namespace
}  // namespace micro::websocket
