// A server that answers each request so that the answer can be told from all others: server LOOPS [CERTIFICATE KEY], with or
// without TLS on its port. GET /counters tells what it counts. Ends on SIGTERM, with 1 when calls were left then.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <micro/coro/run_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/loop/signals.hpp>
#include <micro/middleware/deadline.hpp>
#include <micro/server/server.hpp>
#include <micro/tls/credentials.hpp>

#include "soak.micro.hpp"
#include "text.hpp"

namespace {

using micro::Context;
using micro::Result;
using micro::Task;
using soak::Ping;
using soak::Pong;

// What arrived is what was sent, in this order; an error of this code fails the test.
Result<void> check(const Ping& ping, std::uint32_t index) {
  if (ping.index() == index && soak::is_text_of(ping.id(), ping.text())) return {};
  return micro::fail(micro::Error(micro::Code::kDataLoss, "request " + std::to_string(ping.id()) + ": message " +
                                                              std::to_string(ping.index()) + " came as number " +
                                                              std::to_string(index) + ", or with another text"));
}

Pong pong(const Ping& ping, std::uint32_t index) {
  Pong reply;
  reply.set_id(ping.id());
  reply.set_index(index);
  reply.set_text(soak::text_of(ping.id(), ping.reply_size()));
  return reply;
}

class Soak final : public soak::Soak::Handler {
 public:
  Task<Result<Pong>> Echo(Context& context, const Ping& request) override {
    if (Result<void> good = check(request, 0); !good) co_return micro::fail(std::move(good.error()));
    if (request.wait_milliseconds() > 0) {
      Result<void> slept = co_await micro::sleep(context, std::chrono::milliseconds(request.wait_milliseconds()));
      if (!slept) co_return micro::fail(std::move(slept.error()));
    }
    co_return pong(request, 0);
  }

  Task<Result<void>> Count(Context&, const Ping& request, micro::Writer<Pong>& writer) override {
    if (Result<void> good = check(request, 0); !good) co_return good;
    for (std::uint32_t i = 0; i < request.count(); ++i) {
      const Pong reply = pong(request, i);
      Result<void> written = co_await writer.write(reply);
      if (!written) co_return written;
    }
    co_return Result<void>{};
  }

  Task<Result<Pong>> Sum(Context&, micro::Reader<Ping>& reader) override {
    Ping ping;
    std::uint32_t count = 0;
    while (true) {
      Result<bool> more = co_await reader.read(ping);
      if (!more) co_return micro::fail(std::move(more.error()));
      if (!*more) co_return pong(ping, count);
      if (Result<void> good = check(ping, count++); !good) co_return micro::fail(std::move(good.error()));
    }
  }

  Task<Result<void>> Chat(Context&, micro::ReaderWriter<Ping, Pong>& stream) override {
    Ping ping;
    for (std::uint32_t i = 0;; ++i) {
      Result<bool> more = co_await stream.read(ping);
      if (!more) co_return micro::fail(std::move(more.error()));
      if (!*more) co_return Result<void>{};
      if (Result<void> good = check(ping, i); !good) co_return good;
      const Pong reply = pong(ping, i);
      Result<void> written = co_await stream.write(reply);
      if (!written) co_return written;
    }
  }
};

class Counters final : public micro::rpc::HttpHandler {
 public:
  explicit Counters(const micro::rpc::Server& server) : server_(server) {}
  Task<Result<micro::http::Response>> handle(Context&, const micro::http::Request&, const micro::rpc::PathParameters&) override {
    const micro::rpc::ServerCounters now = server_.counters();
    std::string json = "{\"connections\": " + std::to_string(now.connections);
    json.append(", \"open_connections\": ").append(std::to_string(now.open_connections));
    json.append(", \"calls\": ").append(std::to_string(now.calls));
    json.append(", \"open_calls\": ").append(std::to_string(now.open_calls));
    json.append(", \"failed_calls\": ").append(std::to_string(now.failed_calls));
    json.append(", \"tls_handshakes\": ").append(std::to_string(now.tls_handshakes));
    json.append(", \"failed_tls_handshakes\": ").append(std::to_string(now.failed_tls_handshakes)).append("}");
    co_return micro::http::Response::json(std::move(json));
  }

 private:
  const micro::rpc::Server& server_;
};

Task<void> serve(micro::Loop& loop, micro::rpc::Server& server, std::size_t& left) {
  micro::Signals signals(loop, {SIGTERM});
  server.accept();
  std::printf("listening on 127.0.0.1:%d\n", server.address().port);
  std::fflush(stdout);
  co_await signals.next();
  left = co_await server.stop(loop.now() + std::chrono::seconds(5));
}

}  // namespace

int main(int argc, char** argv) {
  micro::LoopGroup::Options group;
  group.size = argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : 0;
  micro::LoopGroup loops(group);
  micro::rpc::ServerOptions options;
  options.address.host = "127.0.0.1";
  if (argc > 3) {
    auto credentials = micro::tls::ServerCredentials::load({.certificates = {{argv[2], argv[3]}}});
    if (!credentials) {
      std::fprintf(stderr, "server: %s\n", credentials.error().to_string().c_str());
      return 2;
    }
    options.tls = std::move(*credentials);
  }
  micro::rpc::Server server(loops, options);
  server.use(micro::rpc::deadline(micro::Duration{}));
  Result<void> ready = server.handle(std::make_shared<Soak>());
  if (ready) ready = server.http().add("GET", "/counters", std::make_shared<Counters>(server));
  if (ready) ready = server.listen();
  if (!ready) {
    std::fprintf(stderr, "server: %s\n", ready.error().to_string().c_str());
    return 2;
  }
  loops.start();
  std::size_t left = 0;
  micro::run_on(loops.loop(0), serve(loops.loop(0), server, left));
  loops.stop();
  loops.join();
  return left == 0 ? 0 : 1;
}
