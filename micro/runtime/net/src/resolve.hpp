#pragma once

#include <vector>

#include <micro/context/context.hpp>
#include <micro/task/task.hpp>

#include "socket_address.hpp"

namespace micro::net {

// The addresses behind a name, looked up on the offload pool. When the context ends first it returns at once; the lookup, which
// cannot be stopped, ends on its own and finds nobody.
Task<Result<std::vector<SocketAddress>>> resolve(Context& context, const Address& address);

}  // namespace micro::net
