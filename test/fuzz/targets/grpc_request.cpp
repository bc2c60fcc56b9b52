// The remaining header values of a gRPC request: path, content type, encodings.
#include <micro/grpc/compression.hpp>
#include <micro/grpc/request.hpp>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(grpc_request) {
  using namespace micro;
  if (const auto path = grpc::parse_path(input)) {
    std::string joined = "/";
    joined.append(path->service).append("/").append(path->method);
    fuzz::require(!path->service.empty() && !path->method.empty(), "a path with an empty part");
    fuzz::require_equal(joined, input, "the parts of a path are not the path");
  }
  if (const auto format = grpc::parse_content_type(input)) {
    fuzz::require(!format->empty(), "a gRPC content type without a format");
    const std::string canonical = "application/grpc+" + std::string(*format);
    const auto again = grpc::parse_content_type(canonical);
    fuzz::require(again && *again == *format, "a content type changes when it is written again: " + canonical);
  }
  if (const auto encoding = grpc::parse_encoding(input); encoding && !input.empty()) {
    fuzz::require(grpc::parse_accept_encoding(grpc::to_string(*encoding)).contains(*encoding),
                  "an encoding not accepted by its name");
  }
  fuzz::require(grpc::parse_accept_encoding(input).contains(grpc::Compression::kIdentity), "identity is always accepted");
}
