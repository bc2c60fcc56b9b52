#pragma once

#include <micro/error/error.hpp>
#include <micro/http2/options.hpp>
#include <micro/server/http2_limits.hpp>

namespace micro::rpc {

// INVALID_ARGUMENT that names every value out of range.
Result<void> check(const Http2Limits& limits);

void apply(const Http2Limits& limits, http2::Options& options);

}  // namespace micro::rpc
