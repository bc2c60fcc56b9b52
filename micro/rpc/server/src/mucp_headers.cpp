#include "mucp_headers.hpp"

#include <string>

#include <micro/http/field.hpp>

namespace micro::rpc {
namespace {

void append(std::string_view name, std::string_view value, bool twin, Metadata& out) {
  if (value.empty()) return;
  out.add(name, value);
  if (twin) out.add(std::string(mucp::kTwinPrefix).append(name), value);
}

}  // namespace

void take_mucp_headers(const Metadata& headers, const mucp::Head& head, Context& context, TimePoint now) {
  for (const Metadata::Entry entry : headers) {
    if (!mucp::is_reserved(entry.key)) context.incoming().add(entry.key, mucp::decode_metadata(entry.key, entry.value));
  }
  context.set_request_id(context.metadata().get("x-request-id"));
  if (head.timeout) context.set_timeout(*head.timeout, now);
}

void append_mucp_names(const mucp::Head& head, bool twins, Metadata& out) {
  append(mucp::kService, head.service, twins, out);
  append(mucp::kEndpoint, head.endpoint, twins, out);
  append(mucp::kMethod, head.endpoint, twins, out);
  append(mucp::kId, head.id, false, out);
  append(mucp::kStream, head.stream, false, out);
}

void append_mucp_outcome(mucp::Format format, std::string_view error, Metadata& out) {
  append(mucp::kError, error, true, out);
  if (format != mucp::Format::kGrpcProto && format != mucp::Format::kGrpcJson) return;
  const bool failed = !error.empty() && error != mucp::kEndOfStream;
  out.add("Grpc-Status", failed ? "13" : "0");
  if (failed) out.add("Grpc-Message", error);
}

void append_mucp_metadata(const Metadata& metadata, Metadata& out) {
  for (const Metadata::Entry entry : metadata) {
    if (mucp::is_reserved(entry.key) || !http::is_token(entry.key)) continue;
    out.add(entry.key, mucp::encode_metadata(entry.key, entry.value));
  }
}

}  // namespace micro::rpc
