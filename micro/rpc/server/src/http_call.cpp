#include "http_call.hpp"

#include <utility>

#include <micro/call/endpoint.hpp>
#include <micro/http/error.hpp>
#include <micro/http/status.hpp>

#include "worker.hpp"

namespace micro::rpc {
namespace {

// What a call in the pool keeps of the memory of its bodies.
constexpr std::size_t kKeptBody = 16 * 1024;

void clear(std::string& body) {
  if (body.capacity() > kKeptBody) {
    body = std::string();
  } else {
    body.clear();
  }
}

http::Response method_not_allowed(const http::Request& request, std::string allowed) {
  Error error = http::error_with_status(
      http::status::kMethodNotAllowed, "METHOD_NOT_ALLOWED",
      std::string(http::to_string(request.method)) + " is not possible on " + request.path + "; use " + allowed);
  http::Response response = http::Response::from_error(error);
  response.headers.set("Allow", allowed);
  return response;
}

Error streams(const Endpoint& endpoint) {
  std::string message = endpoint.path() + " is a streaming method (" + std::string(to_string(endpoint.kind)) +
                        ") and cannot be called with a plain HTTP request; use gRPC, gRPC-Web or a WebSocket";
  if (endpoint.kind == MethodKind::kServerStream) {
    message += ", or ask for server-sent events (Accept: text/event-stream) or lines of JSON (Accept: application/x-ndjson)";
  }
  return unimplemented(std::move(message));
}

}  // namespace

Result<void> find_codec(const ServerState& state, const http::Request& request, const codec::Codec*& codec) {
  const std::string_view content_type = request.headers.get("content-type");
  codec = content_type.empty() ? state.json : state.codecs.find_content_type(content_type);
  // curl and HTML forms say this when nobody told them otherwise; the body is JSON all the same, or is refused as such.
  if (codec == nullptr && codec::media_type(content_type) == "application/x-www-form-urlencoded") codec = state.json;
  if (codec != nullptr) return {};
  return fail(http::error_with_status(http::status::kUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE",
                                      "content type " + std::string(content_type) + " is not known here; use application/json"));
}

void HttpCall::begin(HttpExchange& exchange, HttpHead& head, const Endpoint* endpoint, HttpRoutes::Match match) {
  take(exchange, head);
  endpoint_ = endpoint;
  match_ = std::move(match);
  if (!admit(head)) return;
  if (head.ended) start();
}

void HttpCall::receive(std::string_view data, bool end) {
  if (!gather(data)) return;
  if (end) start();
}

Task<Result<void>> HttpCall::run() {
  if (Result<void> taken = take_headers(); !taken) co_return std::unexpected(std::move(taken.error()));
  if (endpoint_ != nullptr) co_return co_await call_endpoint(*endpoint_);
  if (match_.handler != nullptr) {
    Result<http::Response> response = co_await match_.handler->handle(context_, request_, match_.parameters);
    if (!response) co_return std::unexpected(std::move(response.error()));
    response_ = std::move(*response);
    co_return Result<void>{};
  }
  if (match_.upgrade_required && (request_.method == http::Method::kGet || match_.allowed_methods.empty())) {
    response_ = http::Response::from_error(http::error_with_status(
        http::status::kUpgradeRequired, "UPGRADE_REQUIRED", request_.path + " takes WebSockets; ask with Upgrade: websocket"));
    response_.headers.set("Sec-WebSocket-Version", "13");
    co_return Result<void>{};
  }
  if (!match_.allowed_methods.empty()) {
    response_ = method_not_allowed(request_, match_.allowed_methods);
    co_return Result<void>{};
  }
  Error error = worker_.state().endpoints.unknown(request_.path);
  co_return fail(not_found(error.message()));
}

Task<Result<void>> HttpCall::call_endpoint(const Endpoint& endpoint) {
  const ServerState& state = worker_.state();
  if (request_.method != http::Method::kPost) {
    response_ = method_not_allowed(request_, "POST");
    co_return Result<void>{};
  }
  if (endpoint.kind != MethodKind::kUnary) {
    co_return fail(streams(endpoint));
  }
  const codec::Codec* codec = nullptr;
  if (Result<void> found = find_codec(state, request_, codec); !found) co_return found;
  codec::MessagePtr request(*endpoint.request_type);
  codec::MessagePtr reply(*endpoint.reply_type);
  const std::string_view body = request_.body.empty() && codec == state.json ? std::string_view("{}") : request_.body;
  if (Result<void> decoded = codec->unmarshal(body, request.get()); !decoded)
    co_return std::unexpected(std::move(decoded.error()));

  Call call{.service = endpoint.service,
            .method = endpoint.method,
            .kind = endpoint.kind,
            .protocol = Protocol::kHttpJson,
            .idempotent = endpoint.idempotent,
            .endpoint = &endpoint,
            .request = request.get(),
            .reply = reply.get()};
  Reply done = co_await state.chain.run(context_, call, *endpoint.handler);
  if (!done) co_return std::unexpected(std::move(done.error()));

  Buffer& out = worker_.encode_buffer();
  out.clear();
  if (Result<void> encoded = codec->marshal(reply.get(), out); !encoded) co_return std::unexpected(std::move(encoded.error()));
  response_.body.assign(out.view());
  response_.headers.add("Content-Type", codec->content_type());
  response_.headers.append(context_.reply_headers());
  response_.headers.append(context_.reply_trailers());
  co_return Result<void>{};
}

void HttpCall::end(Result<void> outcome) {
  HttpExchange* const exchange = std::exchange(exchange_, nullptr);
  if (outcome) {
    exchange->answer(response_.status, response_.headers, response_.body);
  } else {
    const http::Response failed = http::Response::from_error(outcome.error());
    exchange->answer(failed.status, failed.headers, failed.body);
  }
}

void HttpCall::dispose() {
  context_.reset();
  request_.headers.clear();
  clear(request_.body);
  response_.status = http::status::kOk;
  response_.headers.clear();
  clear(response_.body);
  match_ = {};
  worker_.give_back(std::unique_ptr<HttpCall>(this));
}

}  // namespace micro::rpc
