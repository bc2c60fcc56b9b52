#pragma once

#include <string>
#include <vector>

#include <micro/duration/chrono.hpp>

namespace micro::rpc {

// Which pages of other sites may call a service from a browser (Fetch standard, "CORS protocol"): answers to their requests, of
// methods and of routes alike, say that the page may read them, and preflight requests are answered.
struct CorsOptions {
  // Origins as a browser sends them: "https://example.com", with the port when it is not the usual one. "*" stands for all.
  // Empty: off, no page of another site gets an answer. "*" lets in forms with their user's cookies, too: for services that
  // trust neither cookies nor client certificates.
  std::vector<std::string> allowed_origins;
  // Requests may carry cookies. Not with "*" among the origins, which is then ignored.
  bool allow_credentials = false;
  // Headers of answers a page may read, besides those of gRPC-Web and the few that are always readable; lower case.
  std::vector<std::string> exposed_headers;
  // How long a browser may keep the answer to a preflight request.
  Duration max_age = std::chrono::hours(2);
};

}  // namespace micro::rpc
