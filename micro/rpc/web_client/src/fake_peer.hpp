#pragma once

// For the tests: the server's end of a connection in memory or of a socket, driven step by step.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/call/call.hpp>
#include <micro/codecs/bytes.hpp>
#include <micro/coro/block_on.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/http1/parser.hpp>
#include <micro/http1/writer.hpp>
#include <micro/net/listener.hpp>
#include <micro/testkit/memory_stream.hpp>
#include <micro/web_client/target.hpp>
#include <micro/websocket/handshake.hpp>
#include <micro/websocket/session.hpp>

namespace micro::web::testing {

class FakePeer {
 public:
  explicit FakePeer(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}
  ~FakePeer() { stream_->close(); }

  net::Stream& stream() noexcept { return *stream_; }
  const http1::RequestHead& head() const noexcept { return parser_.head(); }

  // The next request and its body.
  Task<std::string> request() {
    std::string body;
    while (true) {
      const auto event = parser_.next(input_);
      if (!event) throw std::runtime_error(event.error().to_string());
      if (*event == http1::Event::kBody) body += parser_.body();
      if (*event == http1::Event::kEnd) co_return body;
      if (*event == http1::Event::kNeedMore && !co_await fill()) throw std::runtime_error("the client has gone");
    }
  }

  Task<void> send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto written = stream_->try_write({&bytes, 1});
      if (!written) co_return;
      bytes.remove_prefix(*written);
      if (*written == 0 && !co_await stream_->wait_writable()) co_return;
    }
  }

  Task<void> respond(int status, std::string_view type, std::string body) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + std::string(type) +
                       "\r\nX-Reply: yes\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    co_await send(text);
  }

  // Answers a WebSocket handshake.
  Task<void> accept(websocket::AcceptOptions options = {}, websocket::Options limits = {}) {
    (void)co_await request();
    auto accepted = websocket::accept_request(head().method, 1, head().headers, options);
    if (!accepted) throw std::runtime_error(accepted.error().to_string());
    Buffer out;
    http1::ResponseStart start;
    start.status = 101;
    start.upgrade = "websocket";
    if (auto written = http1::write_response_head(out, start, accepted->headers); !written)
      throw std::runtime_error(written.error().to_string());
    session_.emplace(websocket::Role::kServer, limits, accepted->deflate);
    const std::string text(out.view());
    co_await send(text);
  }

  websocket::Session& session() noexcept { return *session_; }
  Task<void> flush() {
    const std::string bytes(session_->output().flatten());
    session_->output().clear();
    co_await send(bytes);
  }
  Task<void> text(std::string_view message) {
    if (auto sent = session_->send(websocket::MessageKind::kText, message); !sent)
      throw std::runtime_error(sent.error().to_string());
    co_await flush();
  }
  Task<void> binary(std::string_view message) {
    if (auto sent = session_->send(websocket::MessageKind::kBinary, message); !sent)
      throw std::runtime_error(sent.error().to_string());
    co_await flush();
  }
  Task<void> close(std::uint16_t code, std::string_view reason = {}) {
    session_->close(code, reason);
    co_await flush();
  }

  // What the client does next: "text(hello)", "binary(x)", "ping(x)", "pong(x)", "close(1000,)", "gone" or "error: why".
  Task<std::string> next() {
    while (true) {
      const auto event = session_->next(input_);
      co_await flush();
      if (!event) co_return "error: " + event.error().message();
      const std::string payload(session_->payload());
      switch (*event) {
        case websocket::Event::kMessage:
          co_return (session_->kind() == websocket::MessageKind::kText ? "text(" : "binary(") + payload + ")";
        case websocket::Event::kPing:
          co_return "ping(" + payload + ")";
        case websocket::Event::kPong:
          co_return "pong(" + payload + ")";
        case websocket::Event::kClose:
          co_return "close(" + std::to_string(session_->close_code()) + "," + payload + ")";
        case websocket::Event::kNeedMore:
          if (!co_await fill()) co_return "gone";
          break;
      }
    }
  }

 private:
  Task<bool> fill() {
    const auto count = co_await stream_->read_some(buffer_);
    if (!count || *count == 0) co_return false;
    input_ = {buffer_.data(), *count};
    co_return true;
  }

  std::unique_ptr<net::Stream> stream_;
  http1::RequestParser parser_;
  std::optional<websocket::Session> session_;
  std::array<char, 4096> buffer_;
  std::string_view input_;
};

// A client and its peer on one loop, which the test's own thread runs. Everything is done for connections whose bytes come in
// every size that matters.
class PeerTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  ~PeerTest() override {
    peer_.reset();
    while (loop_.run_once(Duration::zero())) {
    }
  }

  // The client's end; the other one is peer().
  std::unique_ptr<net::Stream> connection() {
    testkit::MemoryStreamOptions options;
    options.chunk = GetParam();
    auto [ours, theirs] = testkit::MemoryStream::pair(loop_, options);
    wire_ = ours.get();
    peer_ = std::make_unique<FakePeer>(std::move(theirs));
    return std::move(ours);
  }
  FakePeer& peer() noexcept { return *peer_; }

  // Runs both sides to their ends and gives the client's.
  template <class T>
  T run(Task<T> client, Task<void> server) {
    return block_on(loop_, both(std::move(client), std::move(server)));
  }
  template <class T>
  T run(Task<T> client) {
    return block_on(loop_, std::move(client));
  }

  Loop loop_;
  Context context_;
  testkit::MemoryStream* wire_ = nullptr;
  std::unique_ptr<FakePeer> peer_;

 private:
  template <class T>
  static Task<T> both(Task<T> client, Task<void> server) {
    auto results = co_await when_all(std::move(client), std::move(server));
    co_return std::move(std::get<0>(results));
  }
};

#define MICRO_WEB_INSTANTIATE(Fixture) INSTANTIATE_TEST_SUITE_P(Chunks, Fixture, ::testing::Values(1, 7, SIZE_MAX))

}  // namespace micro::web::testing
