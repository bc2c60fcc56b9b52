#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <micro/coro/event.hpp>
#include <micro/loop/timer.hpp>
#include <micro/web_client/websocket.hpp>

#include "wire.hpp"

namespace micro::web {

struct WebSocket::Impl {
  Impl(Context& context, std::unique_ptr<net::Stream> stream, const Target& target, WebSocketOptions o,
       std::optional<TimePoint> deadline);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  // As connect() and open(), with an end to the whole of it and answers that go into the context.
  static Task<Result<std::unique_ptr<WebSocket>>> open(Context& context, std::unique_ptr<net::Stream> stream, Target target,
                                                       WebSocketOptions options, std::optional<TimePoint> deadline);

  Task<Result<void>> handshake(Context& context, const Target& target);
  Task<Result<std::optional<Message>>> read();
  Task<Result<void>> write(websocket::MessageKind kind, std::string_view data);
  Task<Result<void>> flush();
  Task<Result<void>> close(std::uint16_t code, std::string_view reason, Duration timeout);

  // Works through the input until messages enough wait to be read.
  void advance();
  // Looks what is there without waiting, unless somebody waits for it.
  void poll();
  void take(Result<std::string_view> bytes);
  void end(std::optional<Error> why);
  void watch();
  void on_silence();
  // Why nothing can be sent any more.
  Error closed_error() const;

  WebSocketOptions options;
  Wire wire;
  std::optional<websocket::Session> session;  // after the handshake
  std::string_view input;                     // read and not yet worked through; in the buffer of the wire
  std::deque<Message> queue;
  std::size_t queued = 0;  // bytes in the queue
  bool reading = false;
  bool writing = false;
  bool ended = false;  // nothing more comes
  std::optional<Error> failure;
  Event closed;
  Timer silence;
  bool ping_sent = false;
  std::string first_bytes;
  std::string subprotocol;
  std::string close_reason;
  Metadata headers;
};

}  // namespace micro::web
