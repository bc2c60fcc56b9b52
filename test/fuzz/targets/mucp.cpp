// go-micro RPC: any headers, bodies and errors. What is written is read back, and errors are stable.
#include <string>

#include <micro/mucp/body.hpp>
#include <micro/mucp/error.hpp>
#include <micro/mucp/head.hpp>

#include "fuzz.hpp"

namespace {

using namespace micro;

void check_errors(std::string_view text) {
  const std::string value = mucp::header_value(text);
  fuzz::require_equal(mucp::header_value(value), value, "a header's value is not stable");
  const Error error = mucp::decode_error(value);
  const std::string sent = mucp::encode_error(error);
  for (const char c : sent) fuzz::require(static_cast<unsigned char>(c) >= 0x20 || c == '\t', "a control byte in Micro-Error");
  const Error again = mucp::decode_error(sent);
  fuzz::require(again.code() == error.code(), "the code of an error changes on its way: " + sent);
  fuzz::require_equal(mucp::encode_error(again), sent, "an error is not stable");
  Error over_grpc(error.code(), error.message());
  over_grpc.add_detail(mucp::encode_detail(error));
  fuzz::require(mucp::status_from(mucp::refine(over_grpc)) == mucp::status_from(error), "the number changes on its way: " + sent);
  Error foreign(Code::kUnknown, std::string(text));
  foreign.add_detail(std::string(text));
  (void)mucp::refine(foreign);
}

void check_bodies(mucp::Format format, std::string_view body) {
  mucp::RequestEnvelope request;
  if (const Result<std::string_view> payload = mucp::read_request(format, body, request)) {
    Buffer out;
    mucp::write_request(format, request, *payload, out);
    mucp::RequestEnvelope back;
    const Result<std::string_view> again = mucp::read_request(format, out.view(), back);
    fuzz::require(again.has_value(), "a request that was written is not read");
    // An empty payload has no bytes in JSON, so nothing can be said of what it was.
    if (!payload->empty()) fuzz::require_equal(*again, *payload, "a request changes on its way");
    if (format == mucp::Format::kProtoRpc && !body.empty()) fuzz::require_equal(back.id, request.id, "an id changes on its way");
  }
  mucp::ReplyEnvelope reply;
  if (const Result<std::string_view> payload = mucp::read_reply(format, body, reply)) {
    Buffer out;
    mucp::write_reply(format, reply, *payload, out);
    mucp::ReplyEnvelope back;
    fuzz::require(mucp::read_reply(format, out.view(), back).has_value(), "a reply that was written is not read");
  }
}

void check_head(std::string_view text) {
  Metadata headers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t colon = std::min(line.find(':'), line.size());
    headers.add(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }
  const mucp::Head head = mucp::read_head(headers);
  if (head.timeout) {
    fuzz::require(mucp::parse_timeout(mucp::format_timeout(*head.timeout)) == head.timeout, "a timeout changes on its way");
  }
  if (const auto name = mucp::parse_endpoint(head.endpoint)) {
    fuzz::require_equal(std::string(name->service) + "." + std::string(name->method), head.endpoint, "a name changes");
  }
  (void)mucp::find_format(head.content_type, head.legacy);
}

}  // namespace

MICRO_FUZZ_TARGET(mucp) {
  if (input.empty()) return;
  const auto kind = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  if (kind % 10 == 8) return check_head(input);
  if (kind % 10 == 9) return check_errors(input);
  check_bodies(static_cast<mucp::Format>(kind % 10 % 7), input);
}
