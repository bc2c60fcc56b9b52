#include "cors.hpp"

#include <algorithm>
#include <string>

namespace micro::rpc {
namespace {

constexpr std::string_view kExposed = "grpc-status, grpc-message, grpc-status-details-bin, grpc-encoding, x-request-id";

}  // namespace

bool allows_origin(const CorsOptions& options, std::string_view origin) {
  return std::ranges::any_of(options.allowed_origins, [&](const std::string& allowed) {
    return (allowed == "*" && !options.allow_credentials) || equals_ignore_case(allowed, origin);
  });
}

void append_cors(const CorsOptions& options, std::string_view origin, Metadata& headers) {
  headers.add("Access-Control-Allow-Origin", origin);
  headers.add("Vary", "Origin");
  if (options.allow_credentials) headers.add("Access-Control-Allow-Credentials", "true");
  std::string exposed(kExposed);
  for (const std::string& name : options.exposed_headers) exposed.append(", ").append(name);
  headers.add("Access-Control-Expose-Headers", exposed);
}

bool is_preflight(const http::Request& request) {
  return request.method == http::Method::kOptions && request.headers.contains("access-control-request-method");
}

void append_preflight(const CorsOptions& options, const http::Request& request, Metadata& headers) {
  headers.add("Access-Control-Allow-Methods", request.headers.get("access-control-request-method"));
  // The origin is what decides; which headers its pages send is their affair.
  const std::string_view wanted = request.headers.get("access-control-request-headers");
  if (!wanted.empty()) headers.add("Access-Control-Allow-Headers", wanted);
  headers.add("Access-Control-Max-Age",
              std::to_string(std::chrono::duration_cast<std::chrono::seconds>(options.max_age).count()));
}

}  // namespace micro::rpc
