#pragma once

#include <memory>

#include <micro/call/call.hpp>

namespace micro::rpc {

// Ends calls whose time is up: the context is cancelled with DEADLINE_EXCEEDED, which answers the caller at once whatever the
// handler does. The time is the least of what the caller gave, the endpoint's timeout and `limit` (zero: none).
std::shared_ptr<Middleware> deadline(Duration limit);

}  // namespace micro::rpc
