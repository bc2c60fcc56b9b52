#pragma once

#include <memory>

#include <micro/context/context.hpp>
#include <micro/net/stream.hpp>
#include <micro/task/task.hpp>

namespace micro::net {

// Connects on the calling thread's loop. Names are resolved (getaddrinfo, off the loop) and each address is tried in turn until
// one answers, in the time the context leaves. TCP_NODELAY is set.
//
// Errors: UNAVAILABLE when nobody answers ("connect to 10.0.0.7:8080: Connection refused"), NOT_FOUND when the name does not
// resolve, DEADLINE_EXCEEDED or CANCELLED when the context ends first.
Task<Result<std::unique_ptr<Stream>>> connect(Context& context, const Address& address);

}  // namespace micro::net
