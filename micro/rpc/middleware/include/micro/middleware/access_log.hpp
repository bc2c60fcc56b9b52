#pragma once

#include <memory>

#include <micro/call/call.hpp>
#include <micro/log/log.hpp>

namespace micro::rpc {

// Writes a line for each call when it has ended: method, protocol, peer, code, duration, request id. Calls that end well are
// logged at debug, errors of the caller at info, errors of the server (INTERNAL, UNKNOWN, DATA_LOSS, UNAVAILABLE,
// DEADLINE_EXCEEDED) at warn. `logger` must outlive the middleware.
std::shared_ptr<Middleware> access_log(log::Logger& logger);

}  // namespace micro::rpc
