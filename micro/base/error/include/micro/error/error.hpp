#pragma once

#include <expected>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/error/code.hpp>

namespace micro {

// What went wrong, for programs and for people: a canonical code, an UPPER_SNAKE reason, a message, string metadata and the
// error that caused it. Protocols carry all of it (gRPC status with google.rpc.ErrorInfo, HTTP status with JSON) and give it
// back on the other side.
//
// A message says what failed, on what, why, and what to do about it. It is shown to callers: no secrets, no stack traces.
//
// Cheap: an Error is one pointer, so Result<T> costs little on the path where nothing fails. Copies share nothing (deep copy).
// Thread safety: distinct objects are independent; one object must not be changed while another thread reads it.
class [[nodiscard]] Error {
 public:
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  // An Error is always a failure: code kOk is stored as kUnknown.
  Error(Code code, std::string message);
  Error(Code code, std::string reason, std::string message);

  Error(const Error& other);
  Error(Error&& other) noexcept;
  Error& operator=(const Error& other);
  Error& operator=(Error&& other) noexcept;
  ~Error();

  Code code() const noexcept;
  // A stable word for programs, such as "NO_NODE"; empty when nobody gave one. Reasons are unique within their domain.
  const std::string& reason() const noexcept;
  const std::string& message() const noexcept;

  // The first value under `key`, or nullptr.
  const std::string* find(std::string_view key) const noexcept;
  const Metadata& metadata() const noexcept;

  // The error underneath, or nullptr.
  const Error* cause() const noexcept;

  // Builders, so that an error can be made and refined in one expression: `not_found("...").with("name", name)`.
  Error& with(std::string key, std::string value) &;
  Error&& with(std::string key, std::string value) &&;
  Error&& with_reason(std::string reason) &&;
  Error&& with_cause(Error cause) &&;
  // Puts `prefix: ` before the message and keeps everything else: what a caller adds on the way up.
  Error&& with_context(std::string_view prefix) &&;

  // Details another system attached (serialised google.protobuf.Any messages), carried unread so that proxies lose nothing.
  const std::vector<std::string>& details() const noexcept;
  Error& add_detail(std::string serialized_any);

  // "NOT_FOUND [NO_USER]: no user john {tenant=acme}: caused by: ..." for logs; never parse it.
  std::string to_string() const;

  friend bool operator==(const Error& a, const Error& b) noexcept;

 private:
  struct Rep;
  Rep* rep_;  // never null except in a moved-from object, which may only be assigned to or destroyed
};

// The result of whatever fails in normal life. Exceptions are for broken contracts only.
template <class T = void>
using Result = std::expected<T, Error>;

// One factory for each code, for handlers: `co_return micro::not_found("no such name")`.
Error cancelled(std::string message);
Error unknown(std::string message);
Error invalid_argument(std::string message);
Error deadline_exceeded(std::string message);
Error not_found(std::string message);
Error already_exists(std::string message);
Error permission_denied(std::string message);
Error resource_exhausted(std::string message);
Error failed_precondition(std::string message);
Error aborted(std::string message);
Error out_of_range(std::string message);
Error unimplemented(std::string message);
Error internal(std::string message);
Error unavailable(std::string message);
Error data_loss(std::string message);
Error unauthenticated(std::string message);

// Turns an errno value into an Error: "cannot open /etc/x: Permission denied (errno 13)". The code follows the errno
// (ENOENT not_found, EACCES permission_denied, EADDRINUSE already_exists, ECONNREFUSED unavailable, ...; others internal).
Error from_errno(int error_number, std::string_view what);

// `return micro::fail(not_found("..."))` where the return type is Result<T> and no implicit conversion applies.
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

}  // namespace micro
