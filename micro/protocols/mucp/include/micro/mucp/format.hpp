#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace micro::mucp {

// How the body of a message is built: what is around the encoded message, and how that is encoded.
enum class Format : std::uint8_t {
  kJson,       // one JSON value and a line end
  kProto,      // the message
  kBytes,      // bytes without meaning here
  kJsonRpc,    // JSON-RPC 1.0 around a JSON value
  kProtoRpc,   // two netstrings: an envelope and the message
  kGrpcProto,  // gRPC's five bytes before the message
  kGrpcJson,   // the same before a JSON value
};

enum class Payload : std::uint8_t { kJson, kProto, kBytes };
Payload payload_of(Format format) noexcept;

// What a content type means, which is matched as it stands: go-micro knows no parameters and no other case. nullopt when it is
// unknown. Without one it is application/protobuf. `legacy`: the table of the first versions, where application/json is
// JSON-RPC, and application/protobuf and application/octet-stream are proto-rpc.
std::optional<Format> find_format(std::string_view content_type, bool legacy) noexcept;

// What a client sends as Content-Type when a node's record does not say what protocol it speaks: such a node knows the legacy
// codecs alone, and takes application/json-rpc and application/proto-rpc for JSON and protobuf. Other types stay as they are.
std::string_view legacy_content_type(std::string_view content_type) noexcept;

}  // namespace micro::mucp
