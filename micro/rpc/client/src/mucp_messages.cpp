#include "mucp_messages.hpp"

#include <micro/grpc/framing.hpp>
#include <micro/http/error.hpp>
#include <micro/http/media_type.hpp>
#include <micro/http/status.hpp>
#include <micro/http1/writer.hpp>
#include <micro/mucp/body.hpp>
#include <micro/mucp/error.hpp>
#include <micro/mucp/head.hpp>

#include "mucp_node.hpp"
#include "slot.hpp"

namespace micro::client {
namespace {

// go-micro leaves the package out.
std::string endpoint_name(const CallInfo& info) {
  const std::size_t dot = info.service.rfind('.');
  std::string name(info.service.substr(dot == std::string_view::npos ? 0 : dot + 1));
  return name.append(1, '.').append(info.method);
}

}  // namespace

MucpMessages::MucpMessages(const CallInfo& info, const MucpRoute& route, bool stream)
    : info_(info),
      address_(route.node->address()),
      stream_(stream),
      id_(std::to_string(info.slot.next_mucp_id())),
      endpoint_(endpoint_name(info)),
      content_type_(route.legacy ? mucp::legacy_content_type(info.mucp_content_type) : info.mucp_content_type),
      format_(mucp::find_format(content_type_, route.legacy)) {}

Error MucpMessages::at_node(Code code, std::string_view what) const {
  return Error(code, info_.name().append(" at ").append(address_).append(": ").append(what));
}

const codec::Codec& MucpMessages::codec() const noexcept {
  return mucp::payload_of(*format_) == mucp::Payload::kJson ? info_.slot.go_json() : info_.slot.codec();
}

Result<void> MucpMessages::write(codec::MessageRef message, Buffer& out) const {
  if (!format_) {
    return fail(invalid_argument(info_.name() + ": content type " + content_type_ +
                                 " is none of go-micro's RPC; use application/protobuf or application/json"));
  }
  if (!message) return add({}, {}, out);
  Buffer payload;
  if (Result<void> encoded = codec().marshal(message, payload); !encoded) return encoded;
  if (Result<void> allowed = grpc::check_send_size(payload.size(), info_.slot.options().max_send_message_size); !allowed) {
    return fail(std::move(allowed.error()).with_context(info_.name()));
  }
  Buffer body;
  mucp::write_request(*format_, {.id = id_, .method = endpoint_}, payload.view(), body);
  return add(body.view(), {}, out);
}

Result<void> MucpMessages::write_end(Buffer& out) const { return add({}, mucp::kEndOfStream, out); }

Result<void> MucpMessages::add(std::string_view body, std::string_view error, Buffer& out) const {
  Metadata headers;
  headers.add("Accept", content_type_);
  headers.add("Content-Type", content_type_);
  for (const Metadata::Entry entry : info_.context.outgoing()) {
    if (!mucp::is_reserved(entry.key)) headers.add(entry.key, mucp::encode_metadata(entry.key, entry.value));
  }
  if (const std::string_view id = info_.context.request_id_to_send(); !id.empty()) headers.add("X-Request-Id", id);
  headers.add(mucp::kEndpoint, endpoint_);
  if (!error.empty()) headers.add(mucp::kError, error);
  headers.add(mucp::kId, id_);
  headers.add(mucp::kMethod, endpoint_);
  headers.add(mucp::kService, info_.registry_name);
  if (stream_) headers.add(mucp::kStream, id_);
  if (info_.deadline) headers.add(mucp::kTimeout, mucp::format_timeout(*info_.deadline - info_.slot.loop().now()));
  http1::RequestStart start;
  start.method = "POST";
  start.host = address_.starts_with("unix:") ? std::string_view("localhost") : address_;
  // As go-micro's own client has it: what it never sends no server of it was tried with.
  start.body = body.empty() ? http1::BodySize::chunked() : http1::BodySize::exactly(body.size());
  if (Result<void> written = http1::write_request_head(out, start, headers); !written) {
    return fail(std::move(written.error()).with_context(info_.name()));
  }
  out.append(body);
  return body.empty() ? http1::write_last_chunk(out) : Result<void>{};
}

Result<bool> MucpMessages::read(const http1::ResponseHead& head, std::string_view body, codec::MessageRef into,
                                bool& answered) const {
  if (head.status != http::status::kOk) {
    const Error error = http::error_from_response(head.status, body);
    return fail(at_node(error.code(), "no answer of go-micro's RPC: " + error.message()));
  }
  const std::string_view text = head.headers.get(mucp::kError);
  if (text == mucp::kEndOfStream) return false;
  if (!text.empty()) {
    answered = true;
    return fail(mucp::decode_error(text));
  }
  if (http::is_media_type(head.headers.get("Content-Type"), "text/plain")) {
    // What its server says about content types is no error to it.
    return fail(at_node(Code::kUnimplemented, body.substr(0, 256)));
  }
  mucp::ReplyEnvelope envelope;
  const Result<std::string_view> payload = mucp::read_reply(*format_, body, envelope);
  if (!payload) return fail(at_node(Code::kInternal, "cannot read the reply: " + payload.error().message()));
  if (envelope.error == mucp::kEndOfStream) return false;
  if (!envelope.error.empty()) {
    answered = true;
    return fail(mucp::decode_error(envelope.error));
  }
  // An empty payload is the message without fields, which in JSON has two bytes.
  const bool json = mucp::payload_of(*format_) == mucp::Payload::kJson;
  Result<void> decoded = codec().unmarshal(payload->empty() && json ? std::string_view("{}") : *payload, into);
  if (!decoded) return fail(at_node(Code::kInternal, "cannot read the reply: " + decoded.error().message()));
  return true;
}

}  // namespace micro::client
