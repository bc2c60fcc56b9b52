#include "http_dispatch.hpp"

#include <utility>

#include <micro/grpc/web.hpp>
#include <micro/http/field.hpp>
#include <micro/http/media_type.hpp>
#include <micro/http/status.hpp>
#include <micro/sse/writer.hpp>

#include "cors.hpp"
#include "event_call.hpp"
#include "grpc_web_call.hpp"
#include "http_call.hpp"
#include "streamed_route.hpp"
#include "websocket_call.hpp"
#include "websocket_route.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// The pool gets it back when it is over.
HttpCall& take_call(Worker& worker) { return *worker.take_http_call().release(); }

// Whether the caller names `type` among what it accepts. Wildcards do not count: what streams must be asked for.
bool accepts(const http::Request& request, std::string_view type) {
  std::string_view list = request.headers.get("accept");
  std::string_view item;
  while (http::next_list_item(list, item)) {
    if (http::is_media_type(item, type)) return true;
  }
  return false;
}

// True when the request was a preflight, and is answered.
bool cross_origin(const CorsOptions& options, HttpExchange& exchange, const http::Request& request) {
  const std::string_view origin = request.headers.get("origin");
  if (origin.empty() || !allows_origin(options, origin)) return false;
  exchange.allow_origin(options, origin);
  if (!is_preflight(request)) return false;
  Metadata headers;
  append_preflight(options, request, headers);
  exchange.answer(http::status::kNoContent, headers, {});
  return true;
}

void begin_grpc_web(Worker& worker, HttpExchange& exchange, HttpHead& head, const Endpoint* endpoint, grpc::WebContentType type) {
  const ServerState& state = worker.state();
  if (endpoint == nullptr) return reject_grpc_web(exchange, state.endpoints.unknown(head.request.path), type.text);
  const codec::Codec* codec = type.format == "proto" ? state.proto : state.codecs.find(type.format);
  if (codec == nullptr) {
    const Error error = unimplemented("content type application/grpc-web+" + std::string(type.format) +
                                      " is not known here; use application/grpc-web");
    return reject_grpc_web(exchange, error, type.text);
  }
  auto* const call = new GrpcWebCall(worker, *endpoint, type.text);
  call->begin(exchange, head, *codec);
}

// Methods that can answer in more ways than one. False when it is an ordinary request.
bool begin_streamed(Worker& worker, HttpExchange& exchange, HttpHead& head, const Endpoint& endpoint) {
  const http::Request& request = head.request;
  if (endpoint.kind != MethodKind::kServerStream) return false;
  const bool events = accepts(request, sse::kContentType);
  if (!events && !accepts(request, "application/x-ndjson")) return false;
  if (request.method != http::Method::kPost && request.method != http::Method::kGet) return false;
  auto* const call = new EventCall(worker, endpoint, events ? Protocol::kSse : Protocol::kNdjson);
  call->begin(exchange, head);
  return true;
}

// A method by one of its HTTP bindings; the replies of a streaming one come as lines of JSON unless events are asked for. False
// when there is no such binding.
bool begin_bound(Worker& worker, HttpExchange& exchange, HttpHead& head) {
  const EndpointTable& endpoints = worker.state().endpoints;
  const transcoding::Binding* binding = endpoints.bindings().find(head.request.method_name(), head.request.path);
  if (binding == nullptr) return false;
  const Endpoint& endpoint = endpoints.endpoints()[binding->target()];
  if (endpoint.kind == MethodKind::kServerStream) {
    const bool events = accepts(head.request, sse::kContentType);
    auto* const call = new EventCall(worker, endpoint, events ? Protocol::kSse : Protocol::kNdjson, binding);
    call->begin(exchange, head);
  } else {
    take_call(worker).begin(exchange, head, endpoint, binding);
  }
  return true;
}

}  // namespace

void dispatch(Worker& worker, HttpExchange& exchange, HttpHead& head) {
  const ServerState& state = worker.state();
  const http::Request& request = head.request;
  if (!state.options.cors.allowed_origins.empty() && cross_origin(state.options.cors, exchange, request)) return;

  const Endpoint* const endpoint = state.endpoints.find(request.path);
  if (request.method == http::Method::kPost) {
    if (const auto type = grpc::parse_web_content_type(request.headers.get("content-type"))) {
      return begin_grpc_web(worker, exchange, head, endpoint, *type);
    }
  }
  if (endpoint != nullptr && head.websocket) {
    auto* const call = new WebSocketCall(worker, *endpoint);
    return call->begin(exchange, head);
  }
  if (endpoint != nullptr) {
    if (begin_streamed(worker, exchange, head, *endpoint)) return;
    if (request.method == http::Method::kPost) return take_call(worker).begin(exchange, head, *endpoint);
  }
  if (!head.websocket && begin_bound(worker, exchange, head)) return;
  if (endpoint != nullptr) return take_call(worker).begin(exchange, head, *endpoint);
  HttpRoutes::Match match = state.routes->find(request.method_name(), request.path, head.websocket);
  if (match.websocket != nullptr) {
    auto* const route = new WebSocketRoute(worker);
    return route->begin(exchange, head, std::move(match));
  }
  if (match.streaming != nullptr) {
    auto* const route = new StreamedRoute(worker);
    return route->begin(exchange, head, std::move(match));
  }
  take_call(worker).begin(exchange, head, std::move(match));
}

}  // namespace micro::rpc
