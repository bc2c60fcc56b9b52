#pragma once

#include <string>
#include <string_view>

#include <micro/error/error.hpp>
#include <micro/uri/uri.hpp>

namespace micro::web {

// Where something on an HTTP/1.1 server is, without encryption.
struct Target {
  Address address;
  std::string host = {};   // value of Host; empty: the address
  std::string path = "/";  // with its query, percent-encoded

  // Reads "ws://host:port/path?query" or "http://...", the port 80 unless given, or a bare "host:port/path" or "unix:/socket"
  // (the path is then "/"). INVALID_ARGUMENT for other schemes, user information, fragments and missing hosts.
  static Result<Target> parse(std::string_view url);
};

}  // namespace micro::web
