#include <micro/mucp/format.hpp>

namespace micro::mucp {

Payload payload_of(Format format) noexcept {
  switch (format) {
    case Format::kJson:
    case Format::kJsonRpc:
    case Format::kGrpcJson:
      return Payload::kJson;
    case Format::kBytes:
      return Payload::kBytes;
    case Format::kProto:
    case Format::kProtoRpc:
    case Format::kGrpcProto:
      break;
  }
  return Payload::kProto;
}

std::optional<Format> find_format(std::string_view content_type, bool legacy) noexcept {
  if (content_type.empty()) content_type = "application/protobuf";
  if (content_type == "application/json-rpc") return Format::kJsonRpc;
  if (content_type == "application/proto-rpc") return Format::kProtoRpc;
  if (content_type == "application/json") return legacy ? Format::kJsonRpc : Format::kJson;
  if (content_type == "application/protobuf") return legacy ? Format::kProtoRpc : Format::kProto;
  if (content_type == "application/octet-stream") return legacy ? Format::kProtoRpc : Format::kBytes;
  if (legacy) return std::nullopt;
  if (content_type == "application/grpc" || content_type == "application/grpc+proto") return Format::kGrpcProto;
  if (content_type == "application/grpc+json") return Format::kGrpcJson;
  return std::nullopt;
}

std::string_view legacy_content_type(std::string_view content_type) noexcept {
  if (content_type == "application/json") return "application/json-rpc";
  if (content_type == "application/protobuf") return "application/proto-rpc";
  return content_type;
}

}  // namespace micro::mucp
