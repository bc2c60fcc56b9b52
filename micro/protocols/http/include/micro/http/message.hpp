#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <micro/error/error.hpp>
#include <micro/http/method.hpp>
#include <micro/metadata/metadata.hpp>

namespace micro::http {

// A whole request as routers and handlers see it, whichever version of HTTP brought it. A plain record: the protocol has checked
// the headers and removed the framing. Thread safety: as for std::string.
struct Request {
  Method method = Method::kGet;
  std::string other_method;  // its name when it is kOther: "SEARCH"
  std::string target;        // as sent: "/users/1?verbose=true", "*", or an absolute URI
  std::string path;          // of the target, still percent-encoded, since decoding it whole would lose its separators
  std::string query;         // of the target, still percent-encoded, without '?'
  Metadata headers;
  std::string body;

  // Three moves of everything cost more, and a server swaps for each request.
  friend void swap(Request& a, Request& b) noexcept {
    // Short strings are swapped byte by byte, and most requests leave some of these empty.
    const auto exchange = [](std::string& x, std::string& y) {
      if (!x.empty() || !y.empty()) x.swap(y);
    };
    std::swap(a.method, b.method);
    exchange(a.other_method, b.other_method);
    exchange(a.target, b.target);
    exchange(a.path, b.path);
    exchange(a.query, b.query);
    swap(a.headers, b.headers);
    exchange(a.body, b.body);
  }

  // As sent: "GET", "SEARCH".
  std::string_view method_name() const noexcept { return method == Method::kOther ? other_method : to_string(method); }
  // The decoded first value of a query parameter; nullopt when it is absent or the query has a broken escape.
  std::optional<std::string> query_value(std::string_view name) const;
};

// A whole response. Content-Length, Transfer-Encoding, Connection and Date are added by the protocol that sends it.
struct Response {
  int status = 200;
  Metadata headers;
  std::string body;

  static Response json(std::string body, int status = 200);
  static Response text(std::string body, int status = 200);
  // The status and JSON body of <micro/http/error.hpp>.
  static Response from_error(const Error& error);
};

}  // namespace micro::http
