#include "http_call.hpp"

#include <algorithm>
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
  Error error =
      http::error_with_status(http::status::kMethodNotAllowed, "METHOD_NOT_ALLOWED",
                              std::string(request.method_name()) + " is not possible on " + request.path + "; use " + allowed);
  http::Response response = http::Response::from_error(error);
  response.headers.set("Allow", allowed);
  return response;
}

// Adds to a list of methods, as in Allow, those of another one that it has not.
void add_methods(std::string& list, std::string_view more) {
  while (!more.empty()) {
    const std::string_view method = more.substr(0, more.find(','));
    more.remove_prefix(std::min(method.size() + 2, more.size()));
    if ((", " + list + ",").find(" " + std::string(method) + ",") == std::string::npos) {
      list.append(list.empty() ? "" : ", ").append(method);
    }
  }
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

Result<void> read_bound(const ServerState& state, const http::Request& request, const transcoding::Binding& binding,
                        const codec::Codec*& codec, codec::MessageRef message) {
  codec = state.json;
  // Without a body its type says nothing.
  if (!request.body.empty()) {
    if (Result<void> found = find_codec(state, request, codec); !found) return found;
  }
  return binding.read({request.path, request.query, request.body}, *codec, *state.json, message);
}

void HttpCall::begin(HttpExchange& exchange, HttpHead& head, const Endpoint& endpoint, const transcoding::Binding* binding) {
  take(exchange, head);
  endpoint_ = &endpoint;
  binding_ = binding;
  if (!admit(head)) return;
  if (head.ended) start();
}

void HttpCall::begin(HttpExchange& exchange, HttpHead& head, HttpRoutes::Match match) {
  take(exchange, head);
  endpoint_ = nullptr;
  binding_ = nullptr;
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
  std::string allowed = worker_.state().endpoints.bindings().allowed_methods(request_.path);
  add_methods(allowed, match_.allowed_methods);
  if (!allowed.empty()) {
    response_ = method_not_allowed(request_, std::move(allowed));
    co_return Result<void>{};
  }
  Error error = worker_.state().endpoints.unknown(request_.path);
  co_return fail(not_found(error.message()));
}

Task<Result<void>> HttpCall::call_endpoint(const Endpoint& endpoint) {
  const ServerState& state = worker_.state();
  if (binding_ == nullptr && request_.method != http::Method::kPost) {
    std::string allowed = state.endpoints.bindings().allowed_methods(request_.path);
    add_methods(allowed, "POST");
    response_ = method_not_allowed(request_, std::move(allowed));
    co_return Result<void>{};
  }
  if (endpoint.kind != MethodKind::kUnary) {
    co_return fail(streams(endpoint));
  }
  codec::MessagePtr request(*endpoint.request_type);
  codec::MessagePtr reply(*endpoint.reply_type);
  const codec::Codec* codec = nullptr;
  if (Result<void> taken = take_request(request.get(), codec); !taken) co_return taken;

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
  const Result<std::string_view> type = write_reply(reply.get(), *codec, out);
  if (!type) co_return fail(type.error());
  response_.body.assign(out.view());
  response_.headers.add("Content-Type", *type);
  response_.headers.append(context_.reply_headers());
  response_.headers.append(context_.reply_trailers());
  co_return Result<void>{};
}

Result<void> HttpCall::take_request(codec::MessageRef message, const codec::Codec*& codec) const {
  const ServerState& state = worker_.state();
  if (binding_ != nullptr) return read_bound(state, request_, *binding_, codec, message);
  if (Result<void> found = find_codec(state, request_, codec); !found) return found;
  return codec->unmarshal(request_.body.empty() && codec == state.json ? std::string_view("{}") : request_.body, message);
}

Result<std::string_view> HttpCall::write_reply(codec::MessageRef message, const codec::Codec& codec, Buffer& out) const {
  if (binding_ != nullptr) return binding_->write(message, codec, *worker_.state().json, out);
  if (Result<void> encoded = codec.marshal(message, out); !encoded) return fail(std::move(encoded.error()));
  return codec.content_type();
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
  if (endpoint_ == nullptr) match_ = {};
  worker_.give_back(std::unique_ptr<HttpCall>(this));
}

}  // namespace micro::rpc
