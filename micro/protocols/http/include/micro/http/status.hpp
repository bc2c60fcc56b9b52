#pragma once

#include <string_view>

namespace micro::http {

// Status codes are plain ints, because peers may send any number from 100 to 999; these are the ones the framework itself uses.
namespace status {
inline constexpr int kContinue = 100;
inline constexpr int kSwitchingProtocols = 101;
inline constexpr int kOk = 200;
inline constexpr int kCreated = 201;
inline constexpr int kAccepted = 202;
inline constexpr int kNoContent = 204;
inline constexpr int kNotModified = 304;
inline constexpr int kBadRequest = 400;
inline constexpr int kUnauthorized = 401;
inline constexpr int kForbidden = 403;
inline constexpr int kNotFound = 404;
inline constexpr int kMethodNotAllowed = 405;
inline constexpr int kNotAcceptable = 406;
inline constexpr int kRequestTimeout = 408;
inline constexpr int kConflict = 409;
inline constexpr int kPreconditionFailed = 412;
inline constexpr int kContentTooLarge = 413;
inline constexpr int kUriTooLong = 414;
inline constexpr int kUnsupportedMediaType = 415;
inline constexpr int kRangeNotSatisfiable = 416;
inline constexpr int kExpectationFailed = 417;
inline constexpr int kUnprocessableContent = 422;
inline constexpr int kUpgradeRequired = 426;
inline constexpr int kTooManyRequests = 429;
inline constexpr int kHeaderFieldsTooLarge = 431;
inline constexpr int kClientClosedRequest = 499;  // not registered; what nginx and google.rpc use for CANCELLED
inline constexpr int kInternalServerError = 500;
inline constexpr int kNotImplemented = 501;
inline constexpr int kBadGateway = 502;
inline constexpr int kServiceUnavailable = 503;
inline constexpr int kGatewayTimeout = 504;
inline constexpr int kVersionNotSupported = 505;
}  // namespace status

// "Not Found" for 404: the phrase of the IANA registry, and for 499 the one of nginx. Empty for other numbers.
std::string_view reason_phrase(int status) noexcept;

// 1xx: an answer before the answer (RFC 9110, section 15.2).
constexpr bool is_interim(int status) noexcept { return status >= 100 && status < 200; }

// False for 1xx, 204 and 304, which never have a body whatever their headers say (RFC 9112, section 6.3).
constexpr bool allows_body(int status) noexcept {
  return !is_interim(status) && status != status::kNoContent && status != status::kNotModified;
}

}  // namespace micro::http
