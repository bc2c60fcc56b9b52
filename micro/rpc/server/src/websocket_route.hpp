#pragma once

#include <micro/coro/event.hpp>
#include <micro/server/http_routes.hpp>
#include <micro/server/websocket.hpp>

#include "http_carried_call.hpp"
#include "websocket_pipe.hpp"

namespace micro::rpc {

// A WebSocket for a handler of the user's. Made with new; deletes itself.
class WebSocketRoute final : public HttpCarriedCall, private WebSocket, private WebSocketPipe::Owner {
 public:
  explicit WebSocketRoute(Worker& worker) noexcept : HttpCarriedCall(worker), pipe_(worker, *this) {}
  void begin(HttpExchange& exchange, HttpHead& head, HttpRoutes::Match match);
  void receive(std::string_view data, bool end) override;
  void writable() override;

 private:
  ~WebSocketRoute() = default;
  void open();
  void take_up();
  Task<Result<void>> run() override;
  void end(Result<void> outcome) override;
  void lost_exchange() override { pipe_.let_go(); }
  void interrupt() override { changed_.set(); }
  void dispose() override { delete this; }
  void on_silence() override;
  void on_drain() override;

  Task<Result<std::optional<Message>>> read() override;
  Task<Result<void>> send_text(std::string_view data) override { return send(websocket::MessageKind::kText, data); }
  Task<Result<void>> send_binary(std::string_view data) override { return send(websocket::MessageKind::kBinary, data); }
  void close(std::uint16_t code, std::string_view reason) override;
  const std::string& subprotocol() const noexcept override { return pipe_.subprotocol(); }
  Task<Result<void>> send(websocket::MessageKind kind, std::string_view data);
  Task<Result<void>> sent(Result<void> result);

  WebSocketPipe pipe_;
  HttpRoutes::Match match_;
  Event changed_;         // there is something to read, or room to write, or the end
  bool closing_ = false;  // we have closed it
};

}  // namespace micro::rpc
