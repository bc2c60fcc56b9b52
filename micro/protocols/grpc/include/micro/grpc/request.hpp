#pragma once

#include <optional>
#include <string_view>

#include <micro/error/error.hpp>

namespace micro::grpc {

// "grpc-micro-cpp/<version>", in the form PROTOCOL-HTTP2 recommends for user-agent.
extern const std::string_view kUserAgent;

inline constexpr std::string_view kContentType = "application/grpc";
inline constexpr std::string_view kContentTypeProto = "application/grpc+proto";
inline constexpr std::string_view kContentTypeJson = "application/grpc+json";

// The parts of a request path "/pkg.Service/Method"; views into it.
struct MethodPath {
  std::string_view service;
  std::string_view method;
};

// Splits a path at its last slash. Fails with UNIMPLEMENTED, the answer of gRPC servers, when it does not begin with a slash or
// a part is empty; which services exist is not its business.
Result<MethodPath> parse_path(std::string_view path);

// The message format of a gRPC content type: "proto" for "application/grpc", "json" for "application/grpc+json", and so on;
// parameters behind ';' are ignored, the case of the type does not matter. nullopt for whatever is not gRPC, also for
// "application/grpc-web". The view is into `content_type` or static.
std::optional<std::string_view> parse_content_type(std::string_view content_type) noexcept;

}  // namespace micro::grpc
