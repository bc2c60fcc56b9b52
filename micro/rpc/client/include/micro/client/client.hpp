#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <micro/call/call.hpp>
#include <micro/call/chain.hpp>
#include <micro/client/options.hpp>
#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/loop/group.hpp>
#include <micro/task/task.hpp>

namespace micro::registry {
class Cache;
}

namespace micro::rpc {

// What a client counts, summed over its loops when read.
struct ClientCounters {
  std::uint64_t calls = 0;
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;
  std::uint64_t failures = 0;
  std::uint64_t connects = 0;
  std::uint64_t open_connections = 0;
};

// One streaming call under way. Read and write through MessageStream; the final status is what read() ends with. Destroying it
// before the end cancels the call.
class ClientStream : public MessageStream {
 public:
  // Reads the single reply of a client-streaming call: closes our side, reads the message, and the status behind it.
  // An OK status without a message is INTERNAL, as gRPC has it.
  virtual Task<Result<void>> finish(codec::MessageRef reply) = 0;
};

// Calls services by name: resolves (cached watch of the registry), selects a node, takes a pooled connection of this loop, sends,
// and tries again elsewhere where that is safe. Speaks gRPC over HTTP/2, and go-micro's own RPC over HTTP/1.1 to nodes whose
// record says that they know nothing else ("protocol": "mucp"; docs/reference/mucp.md).
//
// The deadline of a call is the earliest of its context's, its options' and the client's; the time left travels on the wire.
// Cancelling the context ends the call here and at the server.
// Errors: those of the service unchanged; UNAVAILABLE for connections ("connect to 10.0.0.7:8080: Connection refused", after how
// many attempts); those of the registry and selector; DEADLINE_EXCEEDED says how long was waited and for what.
// Thread safety: any loop of its group may call; everything about a call stays on that loop. use() only before the first call.
class Client {
 public:
  // `registry` may be null when every call names addresses. `loops` and `registry` must outlive the client.
  Client(LoopGroup& loops, registry::Cache* registry, ClientOptions options);
  // A client that can be handed around before it has loops: calls are FAILED_PRECONDITION until start(). After stop() it may be
  // started again.
  Client();
  void start(LoopGroup& loops, registry::Cache* registry, ClientOptions options);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Adds a middleware around every call, inside those added before.
  void use(std::shared_ptr<Middleware> middleware);

  // A unary call: `request` and `reply` must live until it has been awaited. `service` is the name in the registry ("greeter"),
  // or "discovery:///greeter", "direct:///10.0.0.7:8080,10.0.0.8:8080", "unix:/run/greeter.sock"; `proto_service` the name on the
  // wire ("greeter.Greeter"). Reply metadata and the peer are put into the context.
  Task<Reply> call(Context& context, std::string_view service, std::string_view proto_service, std::string_view method,
                   codec::MessageRef request, codec::MessageRef reply, const CallOptions& options);

  // A streaming call of any kind; `request` is sent first for server streams (null otherwise). The stream must be destroyed on
  // the loop that made it and must outlive neither `context` nor this client. Only opening it is retried, as long as nothing was
  // sent; middleware wraps the opening alone. `request_timeout` limits the opening, not the stream: that ends at the deadline of
  // its context or of its options, if there is one.
  Task<Result<std::unique_ptr<ClientStream>>> stream(Context& context, std::string_view service, std::string_view proto_service,
                                                     std::string_view method, MethodKind kind, codec::MessageRef request,
                                                     const CallOptions& options);

  // Closes all connections once their calls have ended, at the latest at `deadline`; calls made after are CANCELLED. To be
  // awaited on a loop, while the loops run, before a client that has made calls is destroyed.
  Task<void> stop(TimePoint deadline);

  ClientCounters counters() const;
  // The defaults before start().
  const ClientOptions& options() const noexcept;

 private:
  struct Impl;
  MiddlewareChain chain_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro::rpc
