#include "http_dispatch.hpp"

#include <algorithm>
#include <utility>

#include <micro/grpc/web.hpp>
#include <micro/http/field.hpp>
#include <micro/http/media_type.hpp>
#include <micro/http/status.hpp>
#include <micro/sse/writer.hpp>

#include "cors.hpp"
#include "cross_origin.hpp"
#include "event_call.hpp"
#include "grpc_web_call.hpp"
#include "http_call.hpp"
#include "mucp_call.hpp"
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

// A request on its way to what carries it.
struct Arrival {
  Worker& worker;
  HttpExchange& exchange;
  HttpHead& head;
  DispatchFields fields;
  bool foreign = false;  // sent by a page that may not call
};

// True when the request was a preflight, and is answered.
bool answer_cors(const CorsOptions& options, const Arrival& arrival) {
  const http::Request& request = arrival.head.request;
  arrival.exchange.allow_origin(options, arrival.fields.origin);
  if (!is_preflight(request)) return false;
  Metadata headers;
  append_preflight(options, request, headers);
  arrival.exchange.answer(http::status::kNoContent, headers, {});
  return true;
}

// Whether its pages may open WebSockets although they may not call otherwise.
bool opens_websockets(const ServerOptions& options, std::string_view origin) {
  return std::ranges::any_of(options.websocket_origins,
                             [&](const std::string& each) { return equals_ignore_case(each, origin); });
}

bool is_foreign(const ServerOptions& options, const Arrival& arrival) {
  if (!options.cross_origin_protection || !is_cross_origin(arrival.fields)) return false;
  return !arrival.head.websocket || !opens_websockets(options, arrival.fields.origin);
}

// Any page may link to what only reads (RFC 9110, section 9.2.1). The handshake of a WebSocket is a GET in name alone.
bool only_reads(const HttpHead& head) {
  const http::Method method = head.request.method;
  return !head.websocket && (method == http::Method::kGet || method == http::Method::kHead || method == http::Method::kOptions);
}

Error count_refusal(const Arrival& arrival) {
  arrival.worker.counters().cross_origin_refusals.add();
  const bool own_list = arrival.head.websocket && !arrival.worker.state().options.websocket_origins.empty();
  return cross_origin_error(arrival.fields, own_list ? "websocket_origins" : "cors.allowed_origins (--cors_origins)");
}

void refuse(const Arrival& arrival) {
  const http::Response response = http::Response::from_error(count_refusal(arrival));
  arrival.exchange.answer(response.status, response.headers, response.body);
}

void begin_grpc_web(const Arrival& arrival, const Endpoint* endpoint, grpc::WebContentType type) {
  auto& [worker, exchange, head, fields, foreign] = arrival;
  const ServerState& state = worker.state();
  if (foreign) return reject_grpc_web(exchange, count_refusal(arrival), type.text);
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
bool begin_streamed(const Arrival& arrival, const Endpoint& endpoint) {
  const http::Request& request = arrival.head.request;
  if (endpoint.kind != MethodKind::kServerStream) return false;
  const bool events = accepts(request, sse::kContentType);
  if (!events && !accepts(request, "application/x-ndjson")) return false;
  if (request.method != http::Method::kPost && request.method != http::Method::kGet) return false;
  // A GET, too: nobody has said that the method only reads.
  if (arrival.foreign) {
    refuse(arrival);
    return true;
  }
  auto* const call = new EventCall(arrival.worker, endpoint, events ? Protocol::kSse : Protocol::kNdjson);
  call->begin(arrival.exchange, arrival.head);
  return true;
}

// A method by one of its HTTP bindings; the replies of a streaming one come as lines of JSON unless events are asked for. False
// when there is no such binding.
bool begin_bound(const Arrival& arrival) {
  auto& [worker, exchange, head, fields, foreign] = arrival;
  const EndpointTable& endpoints = worker.state().endpoints;
  const transcoding::Binding* binding = endpoints.bindings().find(head.request.method_name(), head.request.path);
  if (binding == nullptr) return false;
  const Endpoint& endpoint = endpoints.endpoints()[binding->target()];
  if (endpoint.kind == MethodKind::kServerStream) {
    const bool events = accepts(head.request, sse::kContentType);
    // Scripts alone ask for events, and one that may not read them only keeps the handler at work.
    if (foreign && events) {
      refuse(arrival);
      return true;
    }
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
  Arrival arrival{.worker = worker, .exchange = exchange, .head = head, .fields = DispatchFields(request.headers)};
  if (!arrival.fields.origin.empty() && allows_origin(state.options.cors, arrival.fields.origin)) {
    if (answer_cors(state.options.cors, arrival)) return;
  } else {
    arrival.foreign = is_foreign(state.options, arrival);
  }

  const Endpoint* const endpoint = state.endpoints.find(request.path);
  if (request.method == http::Method::kPost) {
    if (const auto type = grpc::parse_web_content_type(arrival.fields.content_type)) {
      return begin_grpc_web(arrival, endpoint, *type);
    }
  }
  if (arrival.fields.micro && head.message_pipe && !head.websocket) {
    // Their method says nothing.
    return arrival.foreign ? refuse(arrival) : begin_mucp(worker, exchange, head);
  }
  if (arrival.foreign && !only_reads(head)) return refuse(arrival);
  if (endpoint != nullptr && head.websocket) {
    auto* const call = new WebSocketCall(worker, *endpoint);
    return call->begin(exchange, head);
  }
  if (endpoint != nullptr) {
    if (begin_streamed(arrival, *endpoint)) return;
    if (request.method == http::Method::kPost) return take_call(worker).begin(exchange, head, *endpoint);
  }
  if (!head.websocket && begin_bound(arrival)) return;
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
  if (match.handler == nullptr && head.message_pipe && may_be_unnamed_mucp(request, arrival.fields.content_type)) {
    return begin_mucp(worker, exchange, head);
  }
  take_call(worker).begin(exchange, head, std::move(match));
}

}  // namespace micro::rpc
