#pragma once

#include <nlohmann/json.hpp>

#include <micro/registry/record.hpp>

// The two halves of to_json() and from_json(), for registries that wrap records in documents of their own.
namespace micro::registry {

nlohmann::ordered_json to_value(const Service& service);
Result<Service> from_value(const nlohmann::json& value);

// Text without exceptions: invalid UTF-8 becomes U+FFFD.
std::string dump(const nlohmann::ordered_json& value);
// INVALID_ARGUMENT "<what> is not JSON: ..." with the position.
Result<nlohmann::json> parse(std::string_view text, std::string_view what);

}  // namespace micro::registry
