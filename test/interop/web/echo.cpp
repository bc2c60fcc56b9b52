// A WebSocket server of protocols/websocket and protocols/http1 alone, for client.js: sends everything back. Says
// "listening on HOST:PORT" once it does.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <micro/coro/block_on.hpp>
#include <micro/coro/gate.hpp>
#include <micro/http/message.hpp>
#include <micro/http1/parser.hpp>
#include <micro/http1/writer.hpp>
#include <micro/net/listener.hpp>
#include <micro/websocket/handshake.hpp>
#include <micro/websocket/session.hpp>

namespace {

using micro::Task;
namespace websocket = micro::websocket;

class Connection {
 public:
  explicit Connection(std::unique_ptr<micro::net::Stream> stream) : stream_(std::move(stream)) {}

  Task<void> serve() {
    if (co_await handshake()) co_await echo();
    co_await flush();
    stream_->close();
  }

 private:
  Task<bool> fill() {
    const auto count = co_await stream_->read_some(buffer_);
    if (!count || *count == 0) co_return false;
    input_ = {buffer_.data(), *count};
    co_return true;
  }

  Task<void> flush() {
    while (!out_.empty()) {
      const std::string_view front = out_.front();
      const auto written = stream_->try_write({&front, 1});
      if (!written) co_return;
      out_.consume(*written);
      if (*written == 0 && !co_await stream_->wait_writable()) co_return;
    }
  }

  Task<bool> handshake() {
    micro::http1::RequestParser parser;
    while (true) {
      const auto event = parser.next(input_);
      if (!event) co_return false;
      if (*event == micro::http1::Event::kEnd) break;
      if (*event == micro::http1::Event::kNeedMore && !co_await fill()) co_return false;
    }
    websocket::AcceptOptions options;
    options.subprotocols = {"echo"};
    // "/?8" limits the windows of both ends to 8 bits, "/?forget" keeps no context.
    const std::string_view query = parser.head().query();
    options.deflate.server_no_context_takeover = options.deflate.client_no_context_takeover = query == "forget";
    if (!query.empty() && query != "forget") {
      const auto bits = static_cast<std::uint8_t>(std::stoi(std::string(query)));
      options.deflate.server_max_window_bits = options.deflate.client_max_window_bits = bits;
    }
    const auto accepted =
        websocket::accept_request(parser.head().method, parser.head().minor_version, parser.head().headers, options);
    if (!accepted) {
      const micro::http::Response response = micro::http::Response::from_error(accepted.error());
      micro::http1::ResponseStart start;
      start.status = response.status;
      start.body = micro::http1::BodySize::exactly(response.body.size());
      start.keep_alive = false;
      const auto head = micro::http1::write_response_head(out_, start, response.headers);
      if (head) out_.append(response.body);
      co_return false;
    }
    micro::http1::ResponseStart start;
    start.status = 101;
    start.upgrade = "websocket";
    if (!micro::http1::write_response_head(out_, start, accepted->headers)) co_return false;
    websocket::Options limits;
    limits.max_message = std::size_t{2} << 20;
    session_ = std::make_unique<websocket::Session>(websocket::Role::kServer, limits, accepted->deflate);
    co_await flush();
    co_return true;
  }

  Task<void> echo() {
    while (!session_->closed()) {
      const auto event = session_->next(input_);
      if (event && *event == websocket::Event::kMessage) {
        if (!session_->send(session_->kind(), session_->take_payload())) co_return;
      }
      out_.append(std::move(session_->output()));
      if (!event) co_return;
      co_await flush();
      if (*event == websocket::Event::kNeedMore && !co_await fill()) co_return;
    }
  }

  std::unique_ptr<micro::net::Stream> stream_;
  std::array<char, std::size_t{64} * 1024> buffer_;
  std::string_view input_;
  micro::Chain out_;
  std::unique_ptr<websocket::Session> session_;
};

micro::Detached serve(std::unique_ptr<micro::net::Stream> stream, micro::Gate::Holder) {
  const auto connection = std::make_unique<Connection>(std::move(stream));
  co_await connection->serve();
}

Task<void> run(micro::Loop& loop) {
  auto listener = micro::net::Listener::listen(loop, micro::Address::parse("127.0.0.1:0").value(), {});
  if (!listener) {
    std::fprintf(stderr, "%s\n", listener.error().to_string().c_str());
    co_return;
  }
  std::printf("listening on %s\n", (*listener)->address().to_string().c_str());
  std::fflush(stdout);
  micro::Gate gate;
  while (true) {
    auto stream = co_await (*listener)->accept();
    if (!stream) break;
    serve(std::move(*stream), gate.enter());
  }
  co_await gate.close();
}

}  // namespace

int main() {
  micro::Loop loop;
  micro::block_on(loop, run(loop));
}
