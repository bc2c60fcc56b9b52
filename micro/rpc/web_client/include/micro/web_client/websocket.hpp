#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/bytes/buffer.hpp>
#include <micro/context/context.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/metadata/metadata.hpp>
#include <micro/net/stream.hpp>
#include <micro/task/task.hpp>
#include <micro/web_client/target.hpp>
#include <micro/websocket/options.hpp>
#include <micro/websocket/session.hpp>

namespace micro::tls {
class ClientCredentials;
}

namespace micro::web {

struct WebSocketOptions {
  // Of the request, besides those of the handshake: Authorization, Origin, Cookie, ...
  Metadata headers = {};
  // Offered, best first. The server may choose none of them: see WebSocket::subprotocol().
  std::vector<std::string> subprotocols = {};
  // permessage-deflate; offered by default.
  websocket::DeflateOptions deflate = {};
  // Larger messages of the server end the connection with RESOURCE_EXHAUSTED, bytes after decompression.
  std::size_t max_message = 16 * 1024 * 1024;
  // To connect, and for the handshake, each. Zero: no limit but the context's.
  Duration open_timeout = std::chrono::seconds(5);
  // While somebody reads, a server that was silent for this long is sent a ping, and given up when nothing comes within
  // keepalive_timeout. Zero: never.
  Duration keepalive_interval = std::chrono::seconds(20);
  Duration keepalive_timeout = std::chrono::seconds(10);
  // Whom to trust and who we are, for wss and https (<micro/tls/credentials.hpp>); ALPN offers "http/1.1", whatever they say.
  // Null: no certificate, and the authorities of the system, which are read for each connection then.
  std::shared_ptr<tls::ClientCredentials> tls = {};
};

// A WebSocket to a server (RFC 6455 over HTTP/1.1, with or without TLS).
//
//   auto socket = co_await WebSocket::connect(context, target, options);
//   co_await (*socket)->write("hello");
//   auto message = co_await (*socket)->read();     // Result<std::optional<Message>>: nullopt when the server said goodbye
//   co_await (*socket)->close();
//
// It works only while it is awaited: pings are answered, and a close frame is noticed, by read() and write(). Messages nobody
// reads hold the server back. One read() and one write() may be under way at the same time, not two of a kind (std::logic_error).
// Cancellation: ends with the context it was opened with, at its deadline too; both tell the server with close code 1001 if they
// can. Destroying it does the same, but never while it is awaited.
// Errors: UNAVAILABLE (WEBSOCKET_ABNORMAL) when the connection ends without a close frame; what Session::next() fails with.
// Thread safety: the loop it was opened on. Must not outlive the context or the loop.
class WebSocket {
 public:
  struct Message {
    websocket::MessageKind kind = websocket::MessageKind::kText;
    Buffer data;
    std::string_view view() const noexcept { return data.view(); }
  };

  // Connects and opens. Errors: those of net::connect() and tls::Stream::handshake(); what the server answered instead of 101, as
  // http::error_from_response() reads it; INTERNAL for an answer that is not by the rules; UNAVAILABLE when open_timeout is over.
  static Task<Result<std::unique_ptr<WebSocket>>> connect(Context& context, Target target, WebSocketOptions options);
  // The same over a connection that is there, such as one through a proxy. The address of `target` is only a name then.
  static Task<Result<std::unique_ptr<WebSocket>>> open(Context& context, std::unique_ptr<net::Stream> stream, Target target,
                                                       WebSocketOptions options);
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;
  ~WebSocket();

  // The next message; nullopt when the server has closed the connection: see close_code(). Messages that came before an error are
  // given out first.
  Task<Result<std::optional<Message>>> read();

  // Sends a message and waits until the kernel has taken it. CANCELLED when the server has closed the connection,
  // INVALID_ARGUMENT for text that is not UTF-8.
  Task<Result<void>> write(websocket::MessageKind kind, std::string_view data);
  Task<Result<void>> write(std::string_view text) { return write(websocket::MessageKind::kText, text); }

  // Sends a ping. Its answer is noticed by read() alone, which tells nobody: it keeps connections open.
  Task<Result<void>> ping(std::string_view payload);

  // Says goodbye, and waits at most `timeout` for the server to do so too; what it sends meanwhile is dropped. Not while a read()
  // is under way: that one then ends when the server has answered. Success also when the server was faster.
  Task<Result<void>> close(std::uint16_t code = websocket::close_code::kNormal, std::string_view reason = {},
                           Duration timeout = std::chrono::seconds(5));

  // Why the server closed the connection: 1005 when it did not say, 1006 when it has not.
  std::uint16_t close_code() const noexcept;
  const std::string& close_reason() const noexcept;

  // What the server chose; empty: none.
  const std::string& subprotocol() const noexcept;
  // Of the server's answer.
  const Metadata& headers() const noexcept;

  // For the sources of this component alone.
  struct Impl;

 private:
  explicit WebSocket(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro::web
