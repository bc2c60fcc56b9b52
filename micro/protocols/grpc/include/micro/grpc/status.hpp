#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <micro/error/error.hpp>
#include <micro/grpc/fields.hpp>

namespace micro::grpc {

inline constexpr std::string_view kStatusName = "grpc-status";
inline constexpr std::string_view kMessageName = "grpc-message";
inline constexpr std::string_view kDetailsName = "grpc-status-details-bin";

// The domain of the google.rpc.ErrorInfo messages made here.
inline constexpr std::string_view kErrorDomain = "micro";

// What the status fields may take of a trailer block, counted as HTTP/2 does: the limit gRPC implementations set by default.
inline constexpr std::size_t kMaxStatusSize = 8 * 1024;

// "0" .. "16".
std::string_view status_number(Code code) noexcept;

// Appends the trailers that end a call well: grpc-status 0.
void append_ok(FieldList& out);

// Appends the trailers that end a call with `error`: grpc-status, grpc-message (when there is one) and, when the error has a
// reason, metadata or details, grpc-status-details-bin with a google.rpc.Status. Its details are a google.rpc.ErrorInfo with
// reason and metadata (the first value of a key counts), then error.details() unread. An errors.Error of go-micro among these
// comes first of all, because its client looks nowhere else. The cause stays at home.
//
// The fields never take more than `max_size` (at least 256): a long message is cut, and details that do not fit are left out,
// the foreign ones first, then the ErrorInfo; the message then ends with a note that says so.
void append_status(const Error& error, FieldList& out, std::size_t max_size = kMaxStatusSize);

// A serialised google.rpc.Status, for protocols that carry it in another place than trailers; nothing is left out.
std::string encode_status(const Error& error);

// The Error of a serialised google.rpc.Status. Reason and metadata come from the first google.rpc.ErrorInfo; the other details
// are kept unread, and so is an ErrorInfo of a foreign domain, so that sending the error on loses nothing.
// nullopt when the bytes are no such message or its code is OK.
std::optional<Error> decode_status(std::string_view bytes);

// Collects the status fields of a trailer block (or of a trailers-only response) and turns them into a result.
class StatusReader {
 public:
  // Takes the field if it is one of the three; false for any other. Copies what it needs.
  bool take(std::string_view name, std::string_view value);
  bool has_status() const noexcept { return code_.has_value(); }

  // How the call ended. Code and message are those of grpc-status and grpc-message; details are taken in when they are sound and
  // do not contradict the code, and are ignored otherwise. Without grpc-status the code comes from the HTTP status by
  // code_from_http_status(); a grpc-status that is no number is UNKNOWN.
  Result<void> result(int http_status = 200) const;

  void clear() noexcept;

 private:
  std::optional<Code> code_;
  std::string message_;
  std::string details_;
};

// The code of a response without grpc-status (doc/http-grpc-status-mapping.md).
Code code_from_http_status(int http_status) noexcept;

// The code of a stream the peer reset, from the error code of RST_STREAM (PROTOCOL-HTTP2, "Errors").
Code code_from_http2_error(std::uint32_t error_code) noexcept;

}  // namespace micro::grpc
