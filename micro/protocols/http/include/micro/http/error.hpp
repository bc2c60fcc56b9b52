#pragma once

#include <string>
#include <string_view>

#include <micro/error/error.hpp>

// Errors over HTTP: a status, and a JSON body that carries the Error without loss (but for its cause and binary details):
//
//   {"code":"NOT_FOUND","reason":"NO_USER","message":"no user john","metadata":{"tenant":"acme"}}
//
// An empty reason and empty metadata are left out.
namespace micro::http {

// Metadata under this key, a decimal number from 400 to 599, overrides the status that the code implies. Business codes and the
// protocol cores use it for statuses that no canonical code has (413, 431, ...).
inline constexpr std::string_view kStatusKey = "http_status";

// The table of google/rpc/code.proto: NOT_FOUND 404, ABORTED 409, CANCELLED 499, ... Unknown codes give 500.
int status_from(Code code) noexcept;

// As above, unless the error carries a valid kStatusKey.
int status_from(const Error& error) noexcept;

// The inverse, for answers of programs that know nothing of our codes; statuses without a code of their own get the nearest one
// (405 UNIMPLEMENTED, 408 DEADLINE_EXCEEDED, 413 RESOURCE_EXHAUSTED, 502 UNAVAILABLE; other 4xx INVALID_ARGUMENT, other 5xx
// INTERNAL). 2xx gives OK; 1xx and 3xx UNKNOWN.
Code code_from_status(int status) noexcept;

// An error that is answered with `status`: its code is the nearest one, and kStatusKey is set when that would imply another.
Error error_with_status(int status, std::string reason, std::string message);

// Appends the JSON body. Of a metadata key given twice the first value is written. Bytes that are not UTF-8 become U+FFFD, since
// JSON has no other way.
void append_error_json(std::string& out, const Error& error);
std::string error_json(const Error& error);

// The Error an answer with `status` (400 or more) stands for. Reads the body above, and also accepts a number as "code":
// 0..16 as a gRPC code (grpc-gateway), 100 and up as an HTTP status (kratos). Any other body gives the code of the status and a
// message with its phrase and the first 256 bytes of a text body. Never fails.
Error error_from_response(int status, std::string_view body);

}  // namespace micro::http
