#include <micro/mucp/body.hpp>

#include <charconv>
#include <cstdint>
#include <utility>

#include <micro/grpc/framing.hpp>
#include <micro/grpc/proto_wire.hpp>

#include "json_text.hpp"

namespace micro::mucp {
namespace {

// proto-rpc's envelopes (package protorpc): service_method = 1 (string), seq = 2 (fixed64), error = 3 (string, of replies).
constexpr unsigned kMethodField = 1;
constexpr unsigned kSeqField = 2;
constexpr unsigned kErrorField = 3;

constexpr std::size_t kLengthSize = 4;

Error broken(std::string_view format, std::string_view what) {
  return invalid_argument(std::string(format) + ": " + std::string(what));
}

std::uint64_t sequence(std::string_view id) noexcept {
  std::uint64_t number = 0;
  const auto [rest, failure] = std::from_chars(id.data(), id.data() + id.size(), number);
  return failure == std::errc{} && rest == id.data() + id.size() ? number : 0;
}

void append_netstring(Buffer& out, std::string_view text) {
  char length[kLengthSize];
  store_be32(length, static_cast<std::uint32_t>(text.size()));
  out.append(length, sizeof(length));
  out.append(text);
}

bool take_netstring(std::string_view& body, std::string_view& text) noexcept {
  if (body.size() < kLengthSize) return false;
  const std::size_t size = load_be32(body.data());
  body.remove_prefix(kLengthSize);
  if (size > body.size()) return false;
  text = body.substr(0, size);
  body.remove_prefix(size);
  return true;
}

struct ProtoRpc {
  std::string_view method;
  std::string_view error;
  std::uint64_t seq = 0;
};

Result<std::string_view> read_proto_rpc(std::string_view body, ProtoRpc& envelope) {
  std::string_view head;
  std::string_view payload;
  if (!take_netstring(body, head) || !take_netstring(body, payload)) {
    return fail(broken("proto-rpc", "the body is no pair of an envelope and a message, each behind its length in four bytes"));
  }
  grpc::proto::Reader reader(head);
  while (reader.next()) {
    if (reader.is(kMethodField, grpc::proto::kBytes)) envelope.method = reader.bytes;
    if (reader.is(kSeqField, grpc::proto::kFixed64)) envelope.seq = reader.value;
    if (reader.is(kErrorField, grpc::proto::kBytes)) envelope.error = reader.bytes;
  }
  if (!reader.good()) return fail(broken("proto-rpc", "the envelope is no protobuf message"));
  return payload;
}

void write_proto_rpc(std::string_view method, std::string_view id, std::string_view error, std::string_view payload,
                     Buffer& out) {
  std::string envelope;
  grpc::proto::put_string(envelope, kMethodField, method);
  if (const std::uint64_t seq = sequence(id); seq != 0) grpc::proto::put_fixed64(envelope, kSeqField, seq);
  grpc::proto::put_string(envelope, kErrorField, error);
  append_netstring(out, envelope);
  append_netstring(out, payload);
}

Result<std::string_view> read_frame(std::string_view body) {
  if (body.size() < grpc::kPrefixSize) return fail(broken("gRPC's framing", "the body is shorter than a prefix of five bytes"));
  const std::size_t size = load_be32(body.data() + 1);
  if (body.front() != 0) return fail(broken("gRPC's framing", "the message is compressed, which go-micro RPC does not know"));
  if (size > body.size() - grpc::kPrefixSize)
    return fail(broken("gRPC's framing", "the message is shorter than its prefix says"));
  return body.substr(grpc::kPrefixSize, size);
}

Result<std::string_view> first_json(std::string_view body) {
  const auto value = take_json(body);
  if (!value) return fail(broken("JSON", "the body holds no value"));
  return *value == "null" ? std::string_view() : *value;
}

// The formats whose bodies are the payload and what is around it.
Result<std::string_view> read_plain(Format format, std::string_view body) {
  switch (format) {
    case Format::kJson:
      return first_json(body);
    case Format::kGrpcProto:
      return read_frame(body);
    case Format::kGrpcJson: {
      const Result<std::string_view> framed = read_frame(body);
      if (!framed || framed->empty()) return framed;
      return first_json(*framed);
    }
    default:
      return body;
  }
}

void write_plain(Format format, std::string_view payload, Buffer& out) {
  if (format == Format::kGrpcProto || format == Format::kGrpcJson) return grpc::append_frame(out, payload, false);
  out.append(payload);
  if (format == Format::kJson && !payload.empty()) out.push_back('\n');
}

}  // namespace

void write_request(Format format, const RequestEnvelope& envelope, std::string_view payload, Buffer& out) {
  if (format == Format::kProtoRpc) return write_proto_rpc(envelope.method, envelope.id, {}, payload, out);
  if (format != Format::kJsonRpc) return write_plain(format, payload, out);
  std::string text = "{\"params\":[";
  text.append(payload.empty() ? "null" : payload).append("],\"id\":");
  append_go_string(text, envelope.id);
  text += ",\"method\":";
  append_go_string(text, envelope.method);
  out.append(text);
  out.append("}\n");
}

void write_reply(Format format, const ReplyEnvelope& envelope, std::string_view payload, Buffer& out) {
  const bool failed = !envelope.error.empty();
  if (format == Format::kProtoRpc) {
    return write_proto_rpc({}, envelope.id, envelope.error, failed ? std::string_view() : payload, out);
  }
  if (format != Format::kJsonRpc) {
    if (!failed) write_plain(format, payload, out);
    return;
  }
  std::string text = "{\"id\":";
  append_go_string(text, failed ? std::string_view() : envelope.id);
  text.append(",\"result\":").append(failed || payload.empty() ? "null" : payload).append(",\"error\":");
  if (failed) {
    append_go_string(text, envelope.error);
  } else {
    text += "null";
  }
  out.append(text);
  out.append("}\n");
}

Result<std::string_view> read_request(Format format, std::string_view body, RequestEnvelope& envelope) {
  if (body.empty()) return body;
  if (format == Format::kProtoRpc) {
    ProtoRpc read;
    Result<std::string_view> payload = read_proto_rpc(body, read);
    envelope.method = read.method;
    envelope.id = std::to_string(read.seq);
    return payload;
  }
  if (format != Format::kJsonRpc) return read_plain(format, body);
  const auto object = take_json(body);
  std::string_view member;
  if (!object || !find_member(*object, "method", member)) return fail(broken("JSON-RPC", "the body is no object"));
  envelope.method = scalar_text(member);
  (void)find_member(*object, "id", member);
  envelope.id = scalar_text(member);
  (void)find_member(*object, "params", member);
  if (member.empty() || member == "null") return std::string_view();
  if (member.front() != '[') return fail(broken("JSON-RPC", "\"params\" is no array of one argument"));
  member.remove_prefix(1);
  const auto argument = take_json(member);
  return argument && *argument != "null" ? *argument : std::string_view();
}

Result<std::string_view> read_reply(Format format, std::string_view body, ReplyEnvelope& envelope) {
  if (body.empty()) return body;
  if (format == Format::kProtoRpc) {
    ProtoRpc read;
    Result<std::string_view> payload = read_proto_rpc(body, read);
    envelope.error = read.error;
    envelope.id = std::to_string(read.seq);
    return payload;
  }
  if (format != Format::kJsonRpc) return read_plain(format, body);
  const auto object = take_json(body);
  std::string_view member;
  if (!object || !find_member(*object, "error", member)) return fail(broken("JSON-RPC", "the body is no object"));
  envelope.error = scalar_text(member);
  (void)find_member(*object, "id", member);
  envelope.id = scalar_text(member);
  (void)find_member(*object, "result", member);
  return member == "null" ? std::string_view() : member;
}

}  // namespace micro::mucp
