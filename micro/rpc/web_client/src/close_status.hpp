#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <micro/error/error.hpp>

namespace micro::web {

// A failed call ends with this and the number of its gRPC code.
inline constexpr std::uint16_t kFailedCall = 4000;

// What a close frame says about a call: docs/reference/web-streaming.md has the table. `name` begins the messages that are ours.
Result<void> result_of_close(std::uint16_t code, std::string_view reason, const std::string& name);

}  // namespace micro::web
