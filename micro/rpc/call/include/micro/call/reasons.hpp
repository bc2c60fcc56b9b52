#pragma once

#include <string_view>

namespace micro::rpc {

// Reason of the error that ends a call which took longer than its server allows; servers count it.
inline constexpr std::string_view kRequestTimeoutReason = "REQUEST_TIMEOUT";

}  // namespace micro::rpc
