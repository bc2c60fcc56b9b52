#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/bytes/buffer.hpp>
#include <micro/http/message.hpp>
#include <micro/websocket/session.hpp>

#include "heartbeats.hpp"
#include "http_exchange.hpp"
#include "memory_share.hpp"
#include "pace.hpp"

namespace micro::rpc {

class Worker;

// A WebSocket on an exchange: bytes in, messages out, and back. Its owner looks what there is after everything that may have
// brought something.
class WebSocketPipe final : private Heartbeat {
 public:
  class Owner {
   public:
    // The caller has not answered a ping. May destroy the pipe.
    virtual void on_silence() = 0;
    // The server begins to stop. May destroy the pipe.
    virtual void on_drain() = 0;

   protected:
    ~Owner() = default;
  };
  struct Options {
    std::vector<std::string> subprotocols;
    std::size_t max_message_size = 0;
    bool compression = true;
  };
  struct Message {
    websocket::MessageKind kind;
    Buffer payload;
  };

  WebSocketPipe(Worker& worker, Owner& owner) noexcept;

  // Answers the request. Nothing has been sent when that fails: the error is what to answer.
  Result<void> open(HttpExchange& exchange, const http::Request& request, const Options& options);
  bool is_open() const noexcept { return session_.has_value(); }
  const std::string& subprotocol() const noexcept { return subprotocol_; }

  // Bytes have come; with `end` no more will.
  void receive(std::string_view data, bool end);
  // Goes on with bytes that had to wait.
  void pump();

  bool has_message() const noexcept { return !messages_.empty(); }
  Message take();
  // Why no message comes any more, behind those that are there. CANCELLED when the caller has closed it properly.
  const std::optional<Error>& over() const noexcept { return over_; }
  bool closed_by_caller() const noexcept { return closed_by_caller_; }

  Result<void> send(websocket::MessageKind kind, std::string_view payload);
  // Ignored when it is being closed already.
  void close(std::uint16_t code, std::string_view reason);
  // The exchange is over.
  void let_go() noexcept { exchange_ = nullptr; }

 private:
  Result<void> take_event(websocket::Event event);
  // Counts what nobody has read yet; false when there is no room for it.
  bool hold() noexcept;
  // A message that was begun has to go on coming, as a body has to (body_timeout). Not looked at while bytes wait for us.
  bool in_time() noexcept;
  void beat() override;
  void drain() override { owner_.on_drain(); }
  void flush();

  Worker& worker_;
  Owner& owner_;
  HttpExchange* exchange_ = nullptr;
  std::optional<websocket::Session> session_;
  std::string subprotocol_;
  Buffer waiting_;  // bytes that were not looked at
  std::deque<Message> messages_;
  std::size_t queued_ = 0;   // bytes in messages_
  std::uint64_t whole_ = 0;  // bytes of all messages that were completed
  Pace pace_;                // of the message under way
  HeldBytes held_;
  std::optional<Error> over_;
  bool closed_by_caller_ = false;
  bool ended_ = false;   // the caller sends no more
  bool heard_ = false;   // since the last beat
  bool pinged_ = false;  // and nothing was heard since
};

}  // namespace micro::rpc
