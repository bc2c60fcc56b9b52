#include <micro/grpc/status.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <micro/grpc/base64.hpp>
#include <micro/grpc/percent.hpp>

#include "rpc_status.hpp"

namespace micro::grpc {
namespace {

using rpc_status::Content;

constexpr std::array<std::string_view, 17> kNumbers = {"0", "1",  "2",  "3",  "4",  "5",  "6",  "7", "8",
                                                       "9", "10", "11", "12", "13", "14", "15", "16"};
constexpr std::size_t kFieldOverhead = 32;  // RFC 9113, section 6.5.2
constexpr std::size_t kStatusFieldSize = kStatusName.size() + 2 + kFieldOverhead;
constexpr std::size_t kMessageFieldOverhead = kMessageName.size() + kFieldOverhead;
constexpr std::size_t kDetailsFieldOverhead = kDetailsName.size() + kFieldOverhead;
constexpr std::size_t kMinStatusSize = 256;
constexpr std::string_view kNote = " [error details left out: too large for the trailers]";
constexpr std::string_view kCut = "...";

std::size_t base64_size(std::size_t bytes) { return (bytes * 4 + 2) / 3; }

void append_fields(Code code, std::string_view encoded_message, std::string_view details, FieldList& out) {
  out.add(kStatusName, status_number(code));
  if (!encoded_message.empty()) out.add(kMessageName, encoded_message);
  if (!details.empty()) out.add_binary(kDetailsName, details);
}

std::size_t fields_size(std::string_view encoded_message, std::size_t details_size) {
  return kStatusFieldSize + kMessageFieldOverhead + encoded_message.size() +
         (details_size == 0 ? 0 : kDetailsFieldOverhead + base64_size(details_size));
}

// The longest beginning of `message` that takes at most `limit` bytes percent-encoded, marked when it is not all of it.
std::string cut_message(std::string_view message, std::size_t limit) {
  if (percent_encode(message).size() <= limit) return std::string(message);
  std::size_t size = 0;
  for (std::size_t used = kCut.size() + 4; size < message.size(); ++size) {  // 4: spaces at the ends take two bytes more
    const auto byte = static_cast<unsigned char>(message[size]);
    used += byte >= 0x20 && byte <= 0x7E && byte != '%' ? 1 : 3;
    if (used > limit) break;
  }
  // Not in the middle of a UTF-8 sequence.
  while (size > 0 && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;
  return std::string(message.substr(0, size)).append(kCut);
}

bool has_details(const Error& error) { return !error.reason().empty() || !error.metadata().empty() || !error.details().empty(); }

Error make_error(Code code, std::string message, rpc_status::Status status) {
  Error error(code, std::move(status.reason), std::move(message));
  for (auto& [key, value] : status.metadata) error.with(std::move(key), std::move(value));
  for (std::string& detail : status.details) error.add_detail(std::move(detail));
  return error;
}

}  // namespace

std::string_view status_number(Code code) noexcept {
  const auto number = static_cast<std::size_t>(code);
  return kNumbers[number < kNumbers.size() ? number : static_cast<std::size_t>(Code::kUnknown)];
}

void append_ok(FieldList& out) { out.add(kStatusName, kNumbers[0]); }

void append_status(const Error& error, FieldList& out, std::size_t max_size) {
  max_size = std::max(max_size, kMinStatusSize);
  const bool detailed = has_details(error);
  const std::size_t room = max_size - kStatusFieldSize - kMessageFieldOverhead;

  std::string details;
  if (detailed) details = rpc_status::encode(error, error.message(), Content::kAll);
  if (std::string message = percent_encode(error.message()); fields_size(message, details.size()) <= max_size) {
    append_fields(error.code(), message, details, out);
    return;
  }
  if (!detailed) {
    append_fields(error.code(), percent_encode(cut_message(error.message(), room)), {}, out);
    return;
  }
  // Half for the message, so that a long one does not cost the reason programs look at.
  const std::string cut = cut_message(error.message(), (room - kNote.size()) / 2);
  const std::string message = percent_encode(cut);
  const std::string noted = percent_encode(cut + std::string(kNote));
  if (details = rpc_status::encode(error, cut, Content::kAll); fields_size(message, details.size()) <= max_size) {
    append_fields(error.code(), message, details, out);
  } else if (details = rpc_status::encode(error, cut, Content::kErrorInfoOnly); fields_size(noted, details.size()) <= max_size) {
    append_fields(error.code(), noted, details, out);
  } else {
    append_fields(error.code(), noted, {}, out);
  }
}

std::string encode_status(const Error& error) { return rpc_status::encode(error, error.message(), Content::kAll); }

std::optional<Error> decode_status(std::string_view bytes) {
  auto status = rpc_status::decode(bytes);
  if (!status || status->code == 0) return std::nullopt;
  std::string message = std::move(status->message);
  return make_error(code_from_number(status->code), std::move(message), *std::move(status));
}

bool StatusReader::take(std::string_view name, std::string_view value) {
  if (name == kStatusName) {
    int number = -1;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    code_ = error == std::errc() && end == value.data() + value.size() ? code_from_number(number) : Code::kUnknown;
    return true;
  }
  if (name == kMessageName) {
    message_ = percent_decode(value);
    return true;
  }
  if (name == kDetailsName) {
    details_.clear();
    base64_decode(value, details_);  // what is not base64 leaves it empty: code and message stand on their own
    return true;
  }
  return false;
}

Result<void> StatusReader::result(int http_status) const {
  if (!code_) {
    return fail(Error(code_from_http_status(http_status),
                      "the response has no grpc-status (HTTP status " + std::to_string(http_status) + "): not a gRPC server?"));
  }
  if (*code_ == Code::kOk) return {};
  if (!details_.empty()) {
    auto status = rpc_status::decode(details_);
    if (status && code_from_number(status->code) == *code_) {
      std::string message = message_.empty() ? std::move(status->message) : message_;
      return fail(make_error(*code_, std::move(message), *std::move(status)));
    }
  }
  return fail(Error(*code_, message_));
}

void StatusReader::clear() noexcept {
  code_.reset();
  message_.clear();
  details_.clear();
}

Code code_from_http_status(int http_status) noexcept {
  switch (http_status) {
    case 400:
      return Code::kInternal;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return Code::kUnknown;
  }
}

Code code_from_http2_error(std::uint32_t error_code) noexcept {
  switch (error_code) {
    case 0x7:
      return Code::kUnavailable;  // REFUSED_STREAM
    case 0x8:
      return Code::kCancelled;  // CANCEL
    case 0xb:
      return Code::kResourceExhausted;  // ENHANCE_YOUR_CALM
    case 0xc:
      return Code::kPermissionDenied;  // INADEQUATE_SECURITY
    default:
      return Code::kInternal;  // the rest, and unknown ones (RFC 9113, section 7)
  }
}

}  // namespace micro::grpc
