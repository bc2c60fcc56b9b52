#include "http_call.hpp"

#include <micro/call/endpoint.hpp>
#include <micro/grpc/fields.hpp>
#include <micro/grpc/timeout.hpp>
#include <micro/http/error.hpp>
#include <micro/http/status.hpp>

#include "worker.hpp"

namespace micro::rpc {
namespace {

Result<http::Response> method_not_allowed(const http::Request& request, std::string allowed) {
  Error error = http::error_with_status(http::status::kMethodNotAllowed, "METHOD_NOT_ALLOWED",
                                        std::string(http::to_string(request.method)) + " is not possible on " + request.path +
                                            "; use " + allowed);
  http::Response response = http::Response::from_error(error);
  response.headers.set("Allow", allowed);
  return response;
}

}  // namespace

HttpCall::HttpCall(Worker& worker, Owner& owner, const std::string& peer) : worker_(worker), owner_(&owner) {
  context_.set_peer(peer);
  worker_.call_begun(open_);
}

HttpCall::~HttpCall() { worker_.call_ended(open_, failed_); }

void HttpCall::start() {
  cancelled_.link(context_.cancellation(), [](void* self, const Error& reason) { static_cast<HttpCall*>(self)->on_cancel(reason); },
                  this);
  running_ = true;
  drive();
}

Detached HttpCall::drive() {
  Result<http::Response> response;
  try {
    response = co_await dispatch();
  } catch (...) {
    // The recovery middleware says more in the log; this is the net below it.
    response = fail(internal("the handler of " + request_.path + " failed with an exception"));
  }
  running_ = false;
  if (!response) {
    failed_ = true;
    response = http::Response::from_error(response.error());
  }
  if (owner_ != nullptr) answer(std::move(*response));
  cancelled_.unlink();
  delete this;
}

void HttpCall::answer(http::Response response) {
  Owner* owner = owner_;
  owner_ = nullptr;
  owner->answer(response);
}

void HttpCall::on_cancel(const Error& reason) {
  failed_ = true;
  if (owner_ != nullptr) answer(http::Response::from_error(reason));
}

void HttpCall::detach(const Error& reason) {
  owner_ = nullptr;
  if (running_) {
    context_.cancel(reason);
  } else {
    failed_ = true;
    delete this;
  }
}

Result<void> HttpCall::take_headers() {
  for (const Metadata::Entry entry : request_.headers) {
    if (equals_ignore_case(entry.key, "grpc-timeout")) {
      const Result<Duration> timeout = grpc::parse_timeout(entry.value);
      if (!timeout) return fail(invalid_argument(timeout.error().message()));
      context_.set_deadline(worker_.loop().now() + *timeout);
    } else if (Result<void> taken = grpc::take_field(entry.key, entry.value, context_.incoming()); !taken) {
      return fail(invalid_argument(taken.error().message()));
    }
  }
  context_.set_request_id(context_.metadata().get("x-request-id"));
  return {};
}

Task<Result<http::Response>> HttpCall::dispatch() {
  const ServerState& state = worker_.state();
  if (Result<void> taken = take_headers(); !taken) co_return std::unexpected(std::move(taken.error()));
  if (const Endpoint* endpoint = state.endpoints.find(request_.path)) co_return co_await call_endpoint(*endpoint);
  const HttpRoutes::Match match = state.routes->find(http::to_string(request_.method), request_.path);
  if (match.handler != nullptr) co_return co_await match.handler->handle(context_, request_, match.parameters);
  if (!match.allowed_methods.empty()) co_return method_not_allowed(request_, match.allowed_methods);
  Error error = state.endpoints.unknown(request_.path);
  co_return fail(not_found(error.message()));
}

Task<Result<http::Response>> HttpCall::call_endpoint(const Endpoint& endpoint) {
  const ServerState& state = worker_.state();
  if (request_.method != http::Method::kPost) co_return method_not_allowed(request_, "POST");
  if (endpoint.kind != MethodKind::kUnary) {
    co_return fail(unimplemented(endpoint.path() + " is a streaming method and cannot be called with a plain HTTP request; use gRPC"));
  }
  const std::string_view content_type = request_.headers.get("content-type");
  const codec::Codec* codec = content_type.empty() ? state.json : state.codecs.find_content_type(content_type);
  // curl and HTML forms say this when nobody told them otherwise; the body is JSON all the same, or is refused as such.
  if (codec == nullptr && codec::media_type(content_type) == "application/x-www-form-urlencoded") codec = state.json;
  if (codec == nullptr) {
    co_return fail(http::error_with_status(http::status::kUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE",
                                           "content type " + std::string(content_type) + " is not known here; use application/json"));
  }
  codec::MessagePtr request(*endpoint.request_type);
  codec::MessagePtr reply(*endpoint.reply_type);
  const std::string_view body = request_.body.empty() && codec == state.json ? std::string_view("{}") : request_.body;
  if (Result<void> decoded = codec->unmarshal(body, request.get()); !decoded) co_return std::unexpected(std::move(decoded.error()));

  Call call{.service = endpoint.service, .method = endpoint.method, .kind = endpoint.kind, .protocol = Protocol::kHttpJson,
            .idempotent = endpoint.idempotent, .endpoint = &endpoint, .request = request.get(), .reply = reply.get()};
  Reply done = co_await state.chain.run(context_, call, *endpoint.handler);
  if (!done) co_return std::unexpected(std::move(done.error()));

  Buffer& out = worker_.encode_buffer();
  out.clear();
  if (Result<void> encoded = codec->marshal(reply.get(), out); !encoded) co_return std::unexpected(std::move(encoded.error()));
  http::Response response;
  response.body.assign(out.view());
  response.headers.add("Content-Type", codec->content_type());
  response.headers.append(context_.reply_headers());
  response.headers.append(context_.reply_trailers());
  co_return response;
}

}  // namespace micro::rpc
