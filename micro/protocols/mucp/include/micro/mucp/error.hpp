#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <micro/error/error.hpp>

// Errors as go-micro has them: {"id":"greeter.fail","code":404,"detail":"no such name","status":"Not Found"} in the header
// Micro-Error, and the message errors.Error among the details of a gRPC status. Both ways without loss, but for the cause:
//
//   id      the reason, when it is a word like NO_USER; else metadata kIdKey
//   code    the HTTP status of the canonical code (kNumbers in error.cpp: DEADLINE_EXCEEDED is 408, ALREADY_EXISTS 409,
//           FAILED_PRECONDITION 412); metadata "http_status" when there is any other number
//   detail  the message
//   status  the phrase that Go has for the code; metadata kPhraseKey when it is another one
//
// What go-micro has no place for follows as members that its programs skip: reason, grpc_status, metadata.
// Functions without state, safe from any thread.
namespace micro::mucp {

inline constexpr std::string_view kIdKey = "micro_id";
inline constexpr std::string_view kPhraseKey = "micro_status";

// The number that stands for an error, from its metadata or its code.
int status_from(const Error& error) noexcept;
Code code_from_status(int status) noexcept;

// The value of Micro-Error: JSON, with <, > and & escaped as Go does. An UNKNOWN error of nothing but a message is that message,
// as errors of Go that are no errors.Error are.
std::string encode_error(const Error& error);

// The error behind a Micro-Error. Text that is not such JSON is the message of an UNKNOWN error; of what go-micro's server itself
// says, "rpc: can't find ..." is UNIMPLEMENTED, and bad endpoints and requests are INVALID_ARGUMENT. Never fails.
Error decode_error(std::string_view text);

// For gRPC as go-micro's plugins speak it: the same as a serialised google.protobuf.Any with an errors.Error.
std::string encode_detail(const Error& error);
// The error with that among its details, in place of what it had of it. A gRPC status puts it first (grpc::append_status):
// go-micro's client ends its process over another known detail in that place.
Error with_detail(const Error& error);

// An error that came over gRPC, told by its errors.Error when it has one among its details, or by JSON in its message; otherwise
// as it is. The details stay.
Error refine(Error error);

}  // namespace micro::mucp
