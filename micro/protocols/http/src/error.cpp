#include <micro/http/error.hpp>

#include <charconv>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include <micro/http/status.hpp>

#include "json_string.hpp"

namespace micro::http {

namespace {

using Json = nlohmann::ordered_json;  // keeps the order of metadata

// The body, or a discarded value when it is not JSON. Nothing we read is nested more than twice; what is deeper is dropped on the
// way, because ordered_json copies itself recursively while it grows and a peer could end the stack.
Json parse(std::string_view body) {
  const auto keep = [](int depth, Json::parse_event_t, const Json&) { return depth <= 2; };
  return Json::parse(body, keep, false);
}

std::string_view text_of(const Json& json) { return json.get_ref<const std::string&>(); }

std::optional<Code> code_of(const Json& json) {
  if (json.is_string()) return code_from_string(text_of(json));
  if (!json.is_number_integer()) return std::nullopt;
  const auto number = json.get<std::int64_t>();
  if (number >= 0 && number <= 16) return code_from_number(number);
  if (number >= 100 && number <= 999) return code_from_status(static_cast<int>(number));
  return std::nullopt;
}

// What a person can make of a body that is not ours.
std::string describe(int status, std::string_view body) {
  std::string out = "HTTP status " + std::to_string(status);
  if (const auto phrase = reason_phrase(status); !phrase.empty()) out.append(" ").append(phrase);
  std::string_view excerpt = body.substr(0, 256);
  while (!excerpt.empty() && (excerpt.back() == '\n' || excerpt.back() == '\r' || excerpt.back() == ' '))
    excerpt.remove_suffix(1);
  if (excerpt.empty()) return out;
  out += ": ";
  for (const char c : excerpt) out.push_back(static_cast<unsigned char>(c) < 0x20 || c == '\x7f' ? ' ' : c);
  return out;
}

}  // namespace

int status_from(Code code) noexcept {
  switch (code) {
    case Code::kOk:
      return status::kOk;
    case Code::kCancelled:
      return status::kClientClosedRequest;
    case Code::kInvalidArgument:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
      return status::kBadRequest;
    case Code::kDeadlineExceeded:
      return status::kGatewayTimeout;
    case Code::kNotFound:
      return status::kNotFound;
    case Code::kAlreadyExists:
    case Code::kAborted:
      return status::kConflict;
    case Code::kPermissionDenied:
      return status::kForbidden;
    case Code::kResourceExhausted:
      return status::kTooManyRequests;
    case Code::kUnimplemented:
      return status::kNotImplemented;
    case Code::kUnavailable:
      return status::kServiceUnavailable;
    case Code::kUnauthenticated:
      return status::kUnauthorized;
    case Code::kUnknown:
    case Code::kInternal:
    case Code::kDataLoss:
      break;
  }
  return status::kInternalServerError;
}

int status_from(const Error& error) noexcept {
  if (const std::string* text = error.find(kStatusKey)) {
    int status = 0;
    const char* end = text->data() + text->size();
    const auto [rest, failure] = std::from_chars(text->data(), end, status);
    if (failure == std::errc{} && rest == end && status >= 400 && status <= 599) return status;
  }
  return status_from(error.code());
}

Code code_from_status(int status) noexcept {
  switch (status) {
    case status::kUnauthorized:
      return Code::kUnauthenticated;
    case status::kForbidden:
      return Code::kPermissionDenied;
    case status::kNotFound:
    case 410:
      return Code::kNotFound;
    case status::kMethodNotAllowed:
    case status::kNotImplemented:
    case status::kVersionNotSupported:
      return Code::kUnimplemented;
    case status::kRequestTimeout:
    case status::kGatewayTimeout:
      return Code::kDeadlineExceeded;
    case status::kConflict:
      return Code::kAborted;
    case status::kPreconditionFailed:
    case status::kExpectationFailed:
      return Code::kFailedPrecondition;
    case status::kContentTooLarge:
    case status::kTooManyRequests:
    case status::kHeaderFieldsTooLarge:
      return Code::kResourceExhausted;
    case status::kRangeNotSatisfiable:
      return Code::kOutOfRange;
    case status::kClientClosedRequest:
      return Code::kCancelled;
    case status::kBadGateway:
    case status::kServiceUnavailable:
      return Code::kUnavailable;
    default:
      break;
  }
  if (status >= 200 && status <= 299) return Code::kOk;
  if (status >= 400 && status <= 499) return Code::kInvalidArgument;
  if (status >= 500 && status <= 599) return Code::kInternal;
  return Code::kUnknown;
}

Error error_with_status(int status, std::string reason, std::string message) {
  Error error(code_from_status(status), std::move(reason), std::move(message));
  if (status_from(error.code()) != status) error.with(std::string(kStatusKey), std::to_string(status));
  return error;
}

void append_error_json(std::string& out, const Error& error) {
  out += "{\"code\":";
  append_json_string(out, to_string(error.code()));
  if (!error.reason().empty()) {
    out += ",\"reason\":";
    append_json_string(out, error.reason());
  }
  out += ",\"message\":";
  append_json_string(out, error.message());
  char separator = '{';
  for (const auto& [key, value] : error.metadata()) {
    if (error.find(key) != &value) continue;
    if (separator == '{') out += ",\"metadata\":";
    out.push_back(std::exchange(separator, ','));
    append_json_string(out, key);
    out.push_back(':');
    append_json_string(out, value);
  }
  if (separator == ',') out.push_back('}');
  out.push_back('}');
}

std::string error_json(const Error& error) {
  std::string out;
  append_error_json(out, error);
  return out;
}

Error error_from_response(int status, std::string_view body) {
  const auto json = parse(body);
  const auto code = json.is_object() && json.contains("code") ? code_of(json["code"]) : std::nullopt;
  if (!code) return error_with_status(status, {}, describe(status, body));

  const auto string_at = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? std::string(text_of(*found)) : std::string();
  };
  std::string message = string_at("message");
  if (message.empty()) message = describe(status, {});
  Error error(*code, string_at("reason"), std::move(message));
  if (const auto metadata = json.find("metadata"); metadata != json.end() && metadata->is_object()) {
    for (const auto& [key, value] : metadata->items()) {
      if (value.is_primitive()) error.with(key, value.is_string() ? std::string(text_of(value)) : value.dump());
    }
  }
  if (status_from(error) != status && !error.find(kStatusKey)) error.with(std::string(kStatusKey), std::to_string(status));
  return error;
}

}  // namespace micro::http
