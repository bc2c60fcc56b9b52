#pragma once

#include <string_view>

#include <micro/http/message.hpp>
#include <micro/server/cors.hpp>

namespace micro::rpc {

bool allows_origin(const CorsOptions& options, std::string_view origin);
// What an answer says to a page of `origin`, which is allowed.
void append_cors(const CorsOptions& options, std::string_view origin, Metadata& headers);

// Asks whether another request would be allowed (Fetch standard, "CORS-preflight request").
bool is_preflight(const http::Request& request);
void append_preflight(const CorsOptions& options, const http::Request& request, Metadata& headers);

}  // namespace micro::rpc
