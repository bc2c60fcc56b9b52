#pragma once

#include <memory>

#include <micro/call/call.hpp>

namespace micro::rpc {

// Ends calls whose time is up: the context is cancelled with DEADLINE_EXCEEDED, which answers the caller at once whatever the
// handler does. The time is what the caller gave, but at most the endpoint's own timeout, or `limit` (zero: none) where it has
// none. A call whose time is up when it arrives does not reach the handler.
std::shared_ptr<Middleware> deadline(Duration limit);

}  // namespace micro::rpc
