#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <micro/call/chain.hpp>
#include <micro/call/endpoint.hpp>
#include <micro/error/error.hpp>
#include <micro/loop/group.hpp>
#include <micro/server/http_routes.hpp>
#include <micro/server/options.hpp>
#include <micro/task/task.hpp>

namespace micro::rpc {

// Answers calls on one port: gRPC over HTTP/2, HTTP/JSON over HTTP/1.1 and HTTP/2, and the user's plain HTTP routes. What a
// connection speaks is seen from its first bytes. A plain request is looked for among the paths of the methods, then their HTTP
// bindings, then the routes.
//
// Every loop of the group listens; a connection, its calls and their handlers stay on one loop. Calls run through the middleware
// in the order of use(); deadlines are enforced and exceptions caught in any case.
//
// Life: fill with handle(), use() and http(); listen(); accept(); stop(). Thread safety: one owner; counters() from any thread.
class Server {
 public:
  // `loops` must outlive the server and be running from accept() until stop() has ended.
  // `routes` are the plain HTTP routes when they are made before the server; null: empty ones.
  Server(LoopGroup& loops, ServerOptions options, std::shared_ptr<HttpRoutes> routes = nullptr);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Adds the methods of a handler. ALREADY_EXISTS when a method has a handler already, or an HTTP binding matches the same
  // requests as another one, INVALID_ARGUMENT for a binding that does not fit its messages; the server is then of no use.
  Result<void> handle(std::shared_ptr<Handler> handler);
  // Adds a middleware inside those added before.
  void use(std::shared_ptr<Middleware> middleware);
  HttpRoutes& http() noexcept;

  // Binds the port on every loop, or none. ALREADY_EXISTS when another program has it, INVALID_ARGUMENT when options are out of
  // range.
  Result<void> listen();
  // The address bound, with the real port.
  const Address& address() const noexcept;
  // Begins to take connections.
  void accept();

  // Refuses new connections, lets calls end until `deadline`, then cancels the rest and closes everything. Returns when all is
  // closed, or shortly after the deadline if handlers ignore being cancelled; the number of such handlers is the result.
  Task<std::size_t> stop(TimePoint deadline);

  // All methods, in the order they were added; stable once listen() was called.
  const std::vector<Endpoint>& endpoints() const noexcept;
  ServerCounters counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro::rpc
