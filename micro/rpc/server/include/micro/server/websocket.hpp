#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/http/message.hpp>
#include <micro/server/path_parameters.hpp>
#include <micro/task/task.hpp>

namespace micro::rpc {

// A WebSocket (RFC 6455) as the handler of a route sees it. Pings, the closing handshake and compression are taken care of.
//
// Flow control: send() waits while the caller does not take what was sent before; messages nobody reads hold the caller back.
// Cancellation: the context is cancelled when the caller goes away without closing, or when the server has waited long enough for
// the handler to end. When the server begins to stop, the WebSocket is closed with 1001 and read() comes to its end.
// Thread safety: the loop of the call; one read and one send at a time. Valid until the handler's task has ended.
class WebSocket {
 public:
  struct Message {
    bool text = true;  // valid UTF-8; else any bytes
    std::string data;
  };

  // The next message; nullopt when the caller has closed the WebSocket (or we have). An Error when it is broken or cancelled.
  virtual Task<Result<std::optional<Message>>> read() = 0;
  // Sends a message. FAILED_PRECONDITION once the WebSocket is being closed, INVALID_ARGUMENT for text that is not UTF-8.
  // `data` need only be valid until the task is made.
  virtual Task<Result<void>> send_text(std::string_view data) = 0;
  virtual Task<Result<void>> send_binary(std::string_view data) = 0;
  // Ends it; codes of one's own are 3000 to 4999. The reason is cut to 123 bytes. Later calls have no effect.
  virtual void close(std::uint16_t code = 1000, std::string_view reason = {}) = 0;
  // What was agreed on; empty when nothing was.
  virtual const std::string& subprotocol() const noexcept = 0;

 protected:
  ~WebSocket() = default;
};

// Takes the WebSockets of a route. One object serves every loop at once.
class WebSocketHandler {
 public:
  virtual ~WebSocketHandler() = default;
  // The WebSocket is open, and is closed when the task ends: with 1000, or with 4000 + code and the message of an Error.
  // `request`, `parameters` and `socket` live until the task has ended.
  virtual Task<Result<void>> handle(Context& context, const http::Request& request, const PathParameters& parameters,
                                    WebSocket& socket) = 0;
};

// How the WebSockets of a route are taken.
struct WebSocketOptions {
  // Subprotocols the handler speaks, best first.
  std::vector<std::string> subprotocols;
  // Larger messages end the WebSocket with 1009; bytes, after decompression.
  std::size_t max_message_size = 4 * 1024 * 1024;
  // permessage-deflate (RFC 7692), when the caller offers it. Costs some 300 KiB for each WebSocket that uses it.
  bool compression = true;
};

}  // namespace micro::rpc
