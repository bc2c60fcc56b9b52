#include <micro/server/http_routes.hpp>

#include <algorithm>
#include <map>
#include <vector>

#include <micro/server/websocket.hpp>
#include <micro/uri/uri.hpp>

namespace micro::rpc {
namespace {

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

// Takes the next segment off `path`, which begins with '/'.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// What stands for the method of a WebSocket. Blanks are in no method.
constexpr std::string_view kWebSocket = "a websocket";

}  // namespace

struct HttpRoutes::Route {
  std::shared_ptr<HttpHandler> handler;  // or one of the others
  std::shared_ptr<StreamingHttpHandler> streaming;
  std::shared_ptr<WebSocketHandler> websocket;
  std::shared_ptr<const WebSocketOptions> websocket_options;
  std::vector<std::string> names;  // of the parameters, in order
};

// One place in the tree of segments.
struct HttpRoutes::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> any;                              // "{name}"
  std::map<std::string, Route, std::less<>> routes;       // by method, for paths that end here
  std::map<std::string, Route, std::less<>> rest_routes;  // "{name...}": for paths that go on

  // The most specific place for `path`; the values of its parameters gather in `values`.
  const std::map<std::string, Route, std::less<>>* find(std::string_view path, std::vector<std::string_view>& values) const {
    if (path.empty()) return routes.empty() ? nullptr : &routes;
    std::string_view rest = path;
    const std::string_view segment = next_segment(rest);
    if (const auto it = literals.find(segment); it != literals.end()) {
      if (const auto* found = it->second->find(rest, values)) return found;
    }
    if (any != nullptr && !segment.empty()) {
      values.push_back(segment);
      if (const auto* found = any->find(rest, values)) return found;
      values.pop_back();
    }
    if (!rest_routes.empty()) {
      values.push_back(path.substr(1));
      return &rest_routes;
    }
    return nullptr;
  }
};

HttpRoutes::HttpRoutes() : root_(std::make_unique<Node>()) {}
HttpRoutes::~HttpRoutes() = default;

bool HttpRoutes::empty() const noexcept { return root_->literals.empty() && !root_->any && root_->rest_routes.empty(); }

Result<void> HttpRoutes::add(std::string_view method, std::string_view pattern, std::shared_ptr<HttpHandler> handler) {
  Route route;
  route.handler = std::move(handler);
  return add_route(method, pattern, std::move(route));
}

Result<void> HttpRoutes::add(std::string_view method, std::string_view pattern, std::shared_ptr<StreamingHttpHandler> handler) {
  Route route;
  route.streaming = std::move(handler);
  return add_route(method, pattern, std::move(route));
}

Result<void> HttpRoutes::websocket(std::string_view pattern, std::shared_ptr<WebSocketHandler> handler) {
  return websocket(pattern, std::move(handler), WebSocketOptions());
}

Result<void> HttpRoutes::websocket(std::string_view pattern, std::shared_ptr<WebSocketHandler> handler,
                                   WebSocketOptions options) {
  Route route;
  route.websocket = std::move(handler);
  route.websocket_options = std::make_shared<const WebSocketOptions>(std::move(options));
  return add_route(kWebSocket, pattern, std::move(route));
}

Result<void> HttpRoutes::add_route(std::string_view method, std::string_view pattern, Route route) {
  const auto malformed = [&](std::string_view why) {
    return fail(invalid_argument("route \"" + std::string(pattern) + "\": " + std::string(why)));
  };
  if (!pattern.starts_with('/')) return malformed("must begin with '/'");
  Node* node = root_.get();
  bool rest = false;
  for (std::string_view path = pattern; !path.empty();) {
    if (rest) return malformed("nothing may follow {name...}");
    const std::string_view segment = next_segment(path);
    if (is_parameter(segment)) {
      std::string name(segment.substr(1, segment.size() - 2));
      rest = name.ends_with("...");
      if (rest) name.resize(name.size() - 3);
      if (name.empty()) return malformed("a parameter needs a name");
      if (std::ranges::find(route.names, name) != route.names.end()) return malformed("the parameter " + name + " occurs twice");
      route.names.push_back(std::move(name));
      if (!rest) {
        if (!node->any) node->any = std::make_unique<Node>();
        node = node->any.get();
      }
    } else {
      if (segment.find_first_of("{}") != std::string_view::npos) return malformed("a parameter fills a whole segment");
      auto& next = node->literals[std::string(segment)];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
    }
  }
  auto& routes = rest ? node->rest_routes : node->routes;
  if (!routes.emplace(method, std::move(route)).second) {
    return fail(already_exists("route " + std::string(method) + " " + std::string(pattern) + " has a handler already"));
  }
  return {};
}

HttpRoutes::Match HttpRoutes::find(std::string_view method, std::string_view path, bool websocket) const {
  Match match;
  if (!path.starts_with('/')) return match;
  std::vector<std::string_view> values;
  const auto* routes = root_->find(path, values);
  if (routes == nullptr) return match;
  auto it = websocket ? routes->find(kWebSocket) : routes->end();
  if (it == routes->end()) it = routes->find(method);
  if (it == routes->end() && method == "HEAD") it = routes->find("GET");
  if (it == routes->end()) it = routes->find("*");
  if (it == routes->end()) {
    for (const auto& entry : *routes) {
      match.upgrade_required = match.upgrade_required || entry.first == kWebSocket;
      if (entry.first != kWebSocket) match.allowed_methods += (match.allowed_methods.empty() ? "" : ", ") + entry.first;
    }
    return match;
  }
  const Route& route = it->second;
  for (std::size_t i = 0; i < route.names.size(); ++i) {
    Result<std::string> decoded = percent_decode(values[i]);
    if (!decoded) return Match{};  // a broken escape names nothing
    match.parameters.emplace_back(route.names[i], std::move(*decoded));
  }
  match.handler = route.handler.get();
  match.streaming = route.streaming.get();
  match.websocket = route.websocket.get();
  match.websocket_options = route.websocket_options.get();
  return match;
}

}  // namespace micro::rpc
