#pragma once

#include <cstdint>
#include <string_view>

#include <micro/call/stream.hpp>
#include <micro/codec/message.hpp>
#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/task/task.hpp>

namespace micro::rpc {

struct Endpoint;

enum class MethodKind : std::uint8_t { kUnary, kClientStream, kServerStream, kBidiStream };

// "unary", "client_stream", "server_stream", "bidi_stream"
std::string_view to_string(MethodKind kind) noexcept;

// What carries a call. kHttpJson: one request and one reply; kNdjson: replies as lines of JSON; kMucp: go-micro's own RPC.
enum class Protocol : std::uint8_t { kGrpc, kHttpJson, kGrpcWeb, kSse, kNdjson, kWebSocket, kMucp };
// "grpc", "http", "grpc-web", "sse", "ndjson", "websocket", "mucp"
std::string_view to_string(Protocol protocol) noexcept;

// How a call ended. The reply message itself is in Call::reply or went through Call::stream.
using Reply = Result<void>;

// One call on its way through the middleware to the handler (server) or to the wire (client): the same type for every protocol.
struct Call {
  std::string_view service;  // "greeter.Greeter"
  std::string_view method;   // "Hello"
  MethodKind kind = MethodKind::kUnary;
  Protocol protocol = Protocol::kGrpc;
  bool idempotent = false;
  // On a server the record of the method; null on a client.
  const Endpoint* endpoint = nullptr;
  // The request of unary and server-streaming calls. Null otherwise.
  codec::MessageRef request;
  // Where the reply of unary and client-streaming calls goes. Null otherwise.
  codec::MessageRef reply;
  // The messages of streaming calls. Null for unary ones.
  MessageStream* stream = nullptr;
};

// The end of a chain of middleware.
class CallHandler {
 public:
  virtual ~CallHandler() = default;
  virtual Task<Reply> handle(Context& context, Call& call) = 0;
};

class MiddlewareChain;

// The rest of the chain, called by a middleware at most once as a rule (a retrying one may call it again).
class Next {
 public:
  Next(const MiddlewareChain& chain, std::size_t index, CallHandler& last) noexcept
      : chain_(&chain), index_(index), last_(&last) {}
  Task<Reply> operator()(Context& context, Call& call) const;

 private:
  const MiddlewareChain* chain_;
  std::size_t index_;
  CallHandler* last_;
};

// Wraps calls: the same shape on servers and clients, for unary and streaming methods. A middleware that does not co_await
// anything itself returns `next(context, call)` without being a coroutine, which costs nothing.
//
// Rejections are values: `co_return fail(permission_denied("..."))`.
// Thread safety: one object serves all loops at once.
class Middleware {
 public:
  virtual ~Middleware() = default;
  virtual std::string_view name() const noexcept = 0;
  virtual Task<Reply> handle(Context& context, Call& call, Next next) = 0;
};

}  // namespace micro::rpc
