#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/http/message.hpp>
#include <micro/server/path_parameters.hpp>
#include <micro/task/task.hpp>

namespace micro::rpc {

class StreamingHttpHandler;
class WebSocketHandler;
struct WebSocketOptions;

// Answers plain HTTP requests. One object serves every loop at once. An Error becomes its HTTP status with a JSON body.
// `request` and `parameters` live until the task has ended.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual Task<Result<http::Response>> handle(Context& context, const http::Request& request,
                                              const PathParameters& parameters) = 0;
};

// Plain HTTP routes beside the endpoints: "/healthz", "/api/{service}/{endpoint}", "/files/{path...}".
//
// A pattern is a list of segments: literal text, "{name}" for one segment, and "{name...}" as the last for the rest, slashes
// included. Literal segments win over "{name}", which wins over "{name...}". Filled before the server starts, then shared.
class HttpRoutes {
 public:
  HttpRoutes();
  ~HttpRoutes();
  HttpRoutes(const HttpRoutes&) = delete;
  HttpRoutes& operator=(const HttpRoutes&) = delete;

  // `method` as in the request line, "*" for all. INVALID_ARGUMENT for a malformed pattern, ALREADY_EXISTS for a second handler.
  Result<void> add(std::string_view method, std::string_view pattern, std::shared_ptr<HttpHandler> handler);
  // For responses that are sent piece by piece; see <micro/server/http_stream.hpp>.
  Result<void> add(std::string_view method, std::string_view pattern, std::shared_ptr<StreamingHttpHandler> handler);
  // For WebSockets (RFC 6455; over HTTP/2 RFC 8441); see <micro/server/websocket.hpp>. A path may have a handler for GET besides.
  Result<void> websocket(std::string_view pattern, std::shared_ptr<WebSocketHandler> handler);
  Result<void> websocket(std::string_view pattern, std::shared_ptr<WebSocketHandler> handler, WebSocketOptions options);

  // What was found: at most one of the handlers.
  struct Match {
    HttpHandler* handler = nullptr;
    StreamingHttpHandler* streaming = nullptr;
    WebSocketHandler* websocket = nullptr;
    const WebSocketOptions* websocket_options = nullptr;
    // Set when the path takes WebSockets and the request is none.
    bool upgrade_required = false;
    PathParameters parameters;
    // Set when the path is known but not with this method: the methods that are, for Allow.
    std::string allowed_methods;
  };
  // `path` is still percent-encoded; segments are decoded one by one, so "%2F" stays inside its segment.
  Match find(std::string_view method, std::string_view path, bool websocket = false) const;
  bool empty() const noexcept;

 private:
  struct Route;
  struct Node;
  Result<void> add_route(std::string_view method, std::string_view pattern, Route route);
  std::unique_ptr<Node> root_;
};

}  // namespace micro::rpc
