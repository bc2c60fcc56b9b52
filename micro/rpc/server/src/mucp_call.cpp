#include "mucp_call.hpp"

#include <utility>

#include <micro/call/endpoint.hpp>
#include <micro/http/status.hpp>
#include <micro/mucp/error.hpp>

#include "mucp_headers.hpp"
#include "mucp_stream_call.hpp"
#include "worker.hpp"

namespace micro::rpc {

void begin_mucp(Worker& worker, HttpExchange& exchange, HttpHead& head) {
  const mucp::Head message = mucp::read_head(head.request.headers);
  // Of a stream that is over already: go-micro closes the connection then, too.
  if (message.ends_stream()) return exchange.reset();
  const Endpoint* const endpoint = message.topic.empty() ? worker.state().endpoints.find_name(message.endpoint) : nullptr;
  const auto format = mucp::find_format(message.content_type, message.legacy);
  // The method decides, not Micro-Stream: go-micro's handlers of streams send that on with unary calls of their own.
  if (endpoint != nullptr && endpoint->kind != MethodKind::kUnary && format) {
    auto* const stream = new MucpStreamCall(worker, *endpoint, *format);
    return stream->begin(exchange, head);
  }
  auto* const call = new MucpCall(worker);
  call->begin(exchange, head);
}

bool may_be_unnamed_mucp(const http::Request& request, std::string_view content_type) {
  return request.method == http::Method::kPost && request.path == "/" && !content_type.empty() &&
         mucp::find_format(content_type, true);
}

const codec::Codec& mucp_codec(const Worker& worker, mucp::Format format) {
  const ServerState& state = worker.state();
  if (mucp::payload_of(format) == mucp::Payload::kJson) return state.go_json;
  return *state.proto;
}

Result<void> read_mucp_payload(const Worker& worker, mucp::Format format, std::string_view payload, codec::MessageRef message) {
  if (payload.empty()) return {};
  Result<void> read = mucp_codec(worker, format).unmarshal(payload, message);
  if (read) return read;
  return fail(invalid_argument("rpc: router cannot decode request: " + read.error().message()));
}

void MucpCall::begin(HttpExchange& exchange, HttpHead& head) {
  take(exchange, head);
  head_ = mucp::read_head(request_.headers);
  format_ = mucp::find_format(head_.content_type, head_.legacy);
  if (!admit(head)) return;
  if (head.ended) start();
}

void MucpCall::receive(std::string_view data, bool end) {
  if (!gather(data)) return;
  if (end) start();
}

Task<Result<void>> MucpCall::run() {
  take_mucp_headers(request_.headers, head_, context_, worker_.loop().now());
  if (!head_.topic.empty()) {
    take_event();
    co_return Result<void>{};
  }
  if (!format_) co_return fail(unimplemented("unsupported Content-Type: " + std::string(head_.content_type)));
  const Result<std::string_view> payload = mucp::read_request(*format_, request_.body, envelope_);
  if (head_.endpoint.empty() && (!payload || envelope_.method.empty())) {
    ordinary_ = true;
    co_return fail(not_found(worker_.state().endpoints.unknown(request_.path).message()));
  }
  if (!payload) co_return fail(invalid_argument("rpc: router cannot decode request: " + payload.error().message()));
  co_return co_await call_endpoint(*payload);
}

Result<const Endpoint*> MucpCall::find_endpoint() const {
  const EndpointTable& endpoints = worker_.state().endpoints;
  const std::string_view name = head_.endpoint.empty() ? std::string_view(envelope_.method) : head_.endpoint;
  const Endpoint* const endpoint = endpoints.find_name(name);
  if (endpoint == nullptr) return fail(endpoints.unknown_name(name));
  if (endpoint->kind == MethodKind::kUnary) return endpoint;
  return fail(unimplemented(endpoint->path() + " is a streaming method (" + std::string(to_string(endpoint->kind)) +
                            "): name it in Micro-Endpoint, and open a stream with Micro-Stream"));
}

Task<Result<void>> MucpCall::call_endpoint(std::string_view payload) {
  const Result<const Endpoint*> found = find_endpoint();
  if (!found) co_return fail(found.error());
  const Endpoint& endpoint = **found;
  codec::MessagePtr request(*endpoint.request_type);
  codec::MessagePtr reply(*endpoint.reply_type);
  if (Result<void> read = read_mucp_payload(worker_, *format_, payload, request.get()); !read) co_return read;

  Call call{.service = endpoint.service,
            .method = endpoint.method,
            .kind = endpoint.kind,
            .protocol = Protocol::kMucp,
            .idempotent = endpoint.idempotent,
            .endpoint = &endpoint,
            .request = request.get(),
            .reply = reply.get()};
  Reply done = co_await worker_.state().chain.run(context_, call, *endpoint.handler);
  if (!done) co_return std::unexpected(std::move(done.error()));

  Buffer& out = worker_.encode_buffer();
  out.clear();
  if (Result<void> written = mucp_codec(worker_, *format_).marshal(reply.get(), out); !written) co_return written;
  mucp::write_reply(*format_, {.id = envelope_.id.empty() ? std::string(head_.id) : envelope_.id, .error = {}}, out.view(),
                    body_);
  co_return Result<void>{};
}

void MucpCall::take_event() {
  worker_.counters().unclaimed_events.add();
  if (EventObserver* const observer = worker_.state().options.event_observer.get()) {
    observer->on_unclaimed_event(context_.peer(), head_.topic);
  }
}

void MucpCall::end(Result<void> outcome) {
  HttpExchange* const exchange = std::exchange(exchange_, nullptr);
  if (ordinary_) {
    const http::Response failed = http::Response::from_error(outcome.error());
    return exchange->answer(failed.status, failed.headers, failed.body);
  }
  Metadata headers;
  if (!format_ && head_.topic.empty()) {
    // go-micro says this as the body of a reply that is no error.
    headers.add("Content-Type", "text/plain");
    append_mucp_names(head_, false, headers);
    const std::string text = outcome ? std::string() : outcome.error().message();
    return exchange->answer(http::status::kOk, headers, text);
  }
  const mucp::Format format = format_.value_or(mucp::Format::kProto);
  std::string error;
  if (!outcome) {
    error = mucp::encode_error(outcome.error());
    body_.clear();
    mucp::write_reply(format, {.id = {}, .error = error}, {}, body_);
  }
  if (!body_.empty() && !head_.content_type.empty()) headers.add("Content-Type", head_.content_type);
  append_mucp_names(head_, false, headers);
  append_mucp_metadata(context_.reply_headers(), headers);
  append_mucp_metadata(context_.reply_trailers(), headers);
  append_mucp_outcome(format, error, headers);
  exchange->answer(http::status::kOk, headers, body_.view());
}

}  // namespace micro::rpc
