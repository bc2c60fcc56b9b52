#pragma once

// A server of go-micro's own RPC for the tests of the client, which does what it is told, byte by byte.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <micro/coro/gate.hpp>
#include <micro/http1/parser.hpp>
#include <micro/net/listener.hpp>

namespace micro::client::testing {

class FakeMucp {
 public:
  // A request, and what becomes of it.
  struct Message {
    std::string bytes;  // as they came
    Metadata headers;
    std::string body;
    bool chunked = false;
    int connection = 0;

    std::string header(std::string_view name) const { return std::string(headers.get(name)); }
    // What is sent, and whether the connection is closed behind it.
    std::string answer;
    bool close = false;
  };
  using Handler = std::function<void(Message&)>;

  FakeMucp(Loop& loop, Handler handler) : handler_(std::move(handler)) {
    listener_ = net::Listener::listen(loop, Address::parse("127.0.0.1:0").value(), {}).value();
    accept(gate_.enter());
  }
  std::string address() const { return listener_->address().to_string(); }
  int accepted() const { return accepted_; }
  std::size_t open() const { return open_.size(); }
  void close_connections() {
    for (net::Stream* stream : open_) stream->close();
  }
  Task<void> stop() {
    handler_ = nullptr;
    listener_->close();
    close_connections();
    co_await gate_.close();
  }

  // A response as Go's server writes it.
  static std::string response(const std::string& headers, const std::string& body) {
    return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  std::vector<Message> messages;

 private:
  Detached accept(Gate::Holder) {
    while (true) {
      auto socket = co_await listener_->accept();
      if (!socket) co_return;
      serve(std::move(*socket), ++accepted_, gate_.enter());
    }
  }
  Detached serve(std::unique_ptr<net::Stream> socket, int number, Gate::Holder) {
    open_.push_back(socket.get());
    http1::RequestParser parser;
    Message message;
    char buffer[16384];
    while (socket->is_open()) {
      const Result<std::size_t> count = co_await socket->read_some(buffer);
      if (!count || *count == 0) break;
      std::string_view input(buffer, *count);
      while (socket->is_open()) {
        const std::string_view before = input;
        const Result<http1::Event> event = parser.next(input);
        message.bytes += before.substr(0, before.size() - input.size());
        if (!event || *event == http1::Event::kNeedMore) break;
        if (*event == http1::Event::kHead) {
          message.headers = parser.head().headers;
          message.chunked = parser.head().chunked;
        }
        if (*event == http1::Event::kBody) message.body += parser.body();
        if (*event != http1::Event::kEnd) continue;
        message.connection = number;
        if (handler_) handler_(message);
        messages.push_back(message);
        const std::string_view answer = message.answer;
        if (!answer.empty()) (void)socket->try_write({&answer, 1});
        if (message.close) socket->close();
        message = {};
      }
    }
    socket->close();
    std::erase(open_, socket.get());
  }

  Handler handler_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<net::Stream*> open_;
  int accepted_ = 0;
  Gate gate_;
};

}  // namespace micro::client::testing
