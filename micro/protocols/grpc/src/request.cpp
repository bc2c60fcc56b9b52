#include <micro/grpc/request.hpp>

#include <string>

#include <micro/metadata/metadata.hpp>

#include "trim.hpp"

namespace micro::grpc {

constinit const std::string_view kUserAgent = "grpc-micro-cpp/" MICRO_VERSION;

Result<MethodPath> parse_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (!path.starts_with('/') || slash < 2 || slash + 1 == path.size()) {
    return fail(
        unimplemented("malformed method path '" + std::string(path.substr(0, 256)) + "': expected /package.Service/Method"));
  }
  return MethodPath{.service = path.substr(1, slash - 1), .method = path.substr(slash + 1)};
}

std::optional<std::string_view> parse_content_type(std::string_view content_type) noexcept {
  if (!equals_ignore_case(content_type.substr(0, kContentType.size()), kContentType)) return std::nullopt;
  std::string_view format = content_type.substr(kContentType.size());
  format = trim(format.substr(0, format.find(';')));
  if (format.empty()) return "proto";
  if (format.front() != '+' || format.size() == 1) return std::nullopt;
  return format.substr(1);
}

}  // namespace micro::grpc
