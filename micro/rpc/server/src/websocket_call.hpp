#pragma once

#include "http_method_call.hpp"
#include "websocket_pipe.hpp"

namespace micro::rpc {

// A method of any kind called over a WebSocket: one message of it is one message of the call, an empty text ends the request, the
// closing code tells how the call ended. Made with new; deletes itself.
class WebSocketCall final : public HttpMethodCall, private WebSocketPipe::Owner {
 public:
  WebSocketCall(Worker& worker, const Endpoint& endpoint)
      : HttpMethodCall(worker, endpoint, Protocol::kWebSocket), pipe_(worker, *this) {}
  void begin(HttpExchange& exchange, HttpHead& head);
  void receive(std::string_view data, bool end) override;
  void writable() override;

 private:
  ~WebSocketCall() = default;
  void open();
  Result<void> take_timeout();
  void take_up();
  Result<void> decode(const WebSocketPipe::Message& message, codec::MessageRef into);
  Result<Next> next(codec::MessageRef into) override;
  Result<void> send_message(codec::MessageRef message) override;
  void end(Result<void> outcome) override;
  void lost_exchange() override { pipe_.let_go(); }
  void on_silence() override;
  void on_drain() override { stopping_ = true; }
  void dispose() override { delete this; }

  WebSocketPipe pipe_;
  std::optional<websocket::MessageKind> kind_;  // of our messages
  bool called_ = false;                         // the request of a method that takes one has come
  bool half_closed_ = false;                    // the request is complete
  bool stopping_ = false;                       // the server is
};

}  // namespace micro::rpc
