#pragma once

#include <string>
#include <string_view>

#include <micro/error/error.hpp>
#include <micro/uri/uri.hpp>

namespace micro::web {

// Where something on an HTTP/1.1 server is.
struct Target {
  Address address;
  std::string host = {};   // value of Host; empty: the address
  std::string path = "/";  // with its query, percent-encoded
  bool secure = false;     // TLS; the certificate must be for the host of `address` ("localhost" for a Unix socket)

  // Reads "ws://host:port/path?query" or "http://...", with TLS "wss://..." or "https://...", the port 80 or 443 unless given, or
  // a bare "host:port/path" or "unix:/socket" (the path is then "/"). INVALID_ARGUMENT for other schemes, user information,
  // fragments and missing hosts.
  static Result<Target> parse(std::string_view url);
};

}  // namespace micro::web
