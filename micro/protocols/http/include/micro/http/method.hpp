#pragma once

#include <cstdint>
#include <string_view>

namespace micro::http {

// Request methods (RFC 9110, section 9; PATCH: RFC 5789). kOther stands for every other token: a server that has no use for it
// answers 501.
enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kConnect, kOptions, kTrace, kPatch, kOther };

// "GET" for kGet; empty for kOther, whose name only the message itself knows.
std::string_view to_string(Method method) noexcept;

// Methods are case-sensitive: "get" is kOther. Does not check that `name` is a token.
Method method_from_string(std::string_view name) noexcept;

// Asks for no change of state (RFC 9110, section 9.2.1).
constexpr bool is_safe(Method method) noexcept {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions || method == Method::kTrace;
}

// May be sent again when the answer was lost (RFC 9110, section 9.2.2).
constexpr bool is_idempotent(Method method) noexcept {
  return is_safe(method) || method == Method::kPut || method == Method::kDelete;
}

}  // namespace micro::http
