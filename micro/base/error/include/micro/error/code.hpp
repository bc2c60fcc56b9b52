#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace micro {

// The 17 canonical status codes. Names and numbers are those of gRPC (google/rpc/code.proto); every protocol maps to and from
// them without loss. When to use which is told by grpc.io's status code guide; the short of it stands beside each.
enum class Code : std::uint8_t {
  kOk = 0,
  kCancelled = 1,           // the caller gave up
  kUnknown = 2,             // an error from another address space that says no more
  kInvalidArgument = 3,     // the request is wrong whatever the state of the system
  kDeadlineExceeded = 4,    // time ran out before the answer
  kNotFound = 5,            // the named thing does not exist
  kAlreadyExists = 6,       // the thing to create is there already
  kPermissionDenied = 7,    // the caller is known and may not
  kResourceExhausted = 8,   // a quota, a limit, or memory
  kFailedPrecondition = 9,  // the system is not in the state the call needs; do not retry until it is
  kAborted = 10,            // a conflict; retry the whole transaction
  kOutOfRange = 11,         // past the valid range, for example past the end
  kUnimplemented = 12,      // no such method, or switched off
  kInternal = 13,           // an invariant is broken: a bug
  kUnavailable = 14,        // nobody answers just now; retry with backoff
  kDataLoss = 15,           // unrecoverable loss or corruption
  kUnauthenticated = 16,    // no valid credentials
};

// "NOT_FOUND" for kNotFound; "UNKNOWN" for a value outside the enumeration.
std::string_view to_string(Code code) noexcept;

// The inverse of to_string; the case must match. nullopt for any other text.
std::optional<Code> code_from_string(std::string_view name) noexcept;

// The code with this number; kUnknown for numbers outside 0..16, as gRPC asks of receivers.
Code code_from_number(std::int64_t number) noexcept;

}  // namespace micro
