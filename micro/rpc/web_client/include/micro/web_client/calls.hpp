#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <micro/call/call.hpp>
#include <micro/client/client.hpp>
#include <micro/codec/message.hpp>
#include <micro/context/context.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/net/stream.hpp>
#include <micro/task/task.hpp>
#include <micro/web_client/target.hpp>
#include <micro/websocket/deflate.hpp>

namespace micro::tls {
class ClientCredentials;
}

// Calls of streaming methods over what browsers speak: WebSocket and server-sent events. docs/reference/web-streaming.md says how
// a call is mapped to them. For clients where HTTP/2 does not get through; between services rpc::Client is the better choice.
namespace micro::web {

enum class Encoding : std::uint8_t {
  kJson,   // text messages
  kProto,  // binary messages; not over server-sent events
};

struct CallOptions {
  Encoding encoding = Encoding::kJson;
  // Of the whole call; zero: the context's deadline alone. The time left travels with the request.
  Duration timeout{};
  // To connect, and for the handshake or the head of the answer, each.
  Duration open_timeout = std::chrono::seconds(5);
  // Larger messages end the call with RESOURCE_EXHAUSTED.
  std::size_t max_receive_message_size = 4 * 1024 * 1024;
  std::size_t max_send_message_size = 64 * 1024 * 1024;
  // A server that is silent for this long is sent a ping (WebSocket), and given up when nothing comes within keepalive_timeout;
  // server-sent events have no pings, so there the server is given up after the sum of both. Zero: never.
  Duration keepalive_interval = std::chrono::seconds(20);
  Duration keepalive_timeout = std::chrono::seconds(10);
  websocket::DeflateOptions deflate = {};
  // Whom to trust and who we are, for wss and https (<micro/tls/credentials.hpp>); ALPN offers "http/1.1", whatever they say.
  // Null: no certificate, and the authorities of the system, which are read for each connection then.
  std::shared_ptr<tls::ClientCredentials> tls = {};
};

// What is called, and where. The path of `target` is what stands before that of the method: "" or "/" as a rule.
struct Method {
  Target target;
  std::string service;  // "greeter.Greeter"
  std::string method;   // "Chat"
  rpc::MethodKind kind = rpc::MethodKind::kBidiStream;
};

// Opens a call of any kind over a WebSocket. `request` is the one message of unary and server-streaming methods, null otherwise.
// The stream works with Reader, Writer and the streams of <micro/client/typed.hpp>; finish() gives the reply of unary and
// client-streaming methods. Metadata of context.outgoing() travels in the request's headers.
//
// Errors of the opening: those of WebSocket::connect(). Errors of the call: what the service ended it with, code and message (no
// reason, no metadata: a close frame has no room); UNAVAILABLE when the connection ends without a close frame; DEADLINE_EXCEEDED.
// The stream must outlive neither `context` nor the loop; destroying it cancels the call, but never while it is awaited.
Task<Result<std::unique_ptr<rpc::ClientStream>>> open_websocket(Context& context, Method method, codec::MessageRef request,
                                                                CallOptions options);
Task<Result<std::unique_ptr<rpc::ClientStream>>> open_websocket(Context& context, std::unique_ptr<net::Stream> stream,
                                                                Method method, codec::MessageRef request, CallOptions options);

// Calls a server-streaming method over server-sent events, with JSON. Errors of the call arrive whole, as over HTTP. Anything but
// kServerStream and kJson throws std::logic_error.
Task<Result<std::unique_ptr<rpc::ClientStream>>> open_events(Context& context, Method method, codec::MessageRef request,
                                                             CallOptions options);
Task<Result<std::unique_ptr<rpc::ClientStream>>> open_events(Context& context, std::unique_ptr<net::Stream> stream, Method method,
                                                             codec::MessageRef request, CallOptions options);

}  // namespace micro::web
