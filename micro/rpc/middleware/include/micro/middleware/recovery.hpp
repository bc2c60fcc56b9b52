#pragma once

#include <memory>

#include <micro/call/call.hpp>
#include <micro/log/log.hpp>

namespace micro::rpc {

// Turns an exception that leaves a handler into INTERNAL. The log has the method and what the exception said; the caller learns
// only that the handler failed. The process lives on. `logger` must outlive the middleware.
std::shared_ptr<Middleware> recovery(log::Logger& logger);

}  // namespace micro::rpc
