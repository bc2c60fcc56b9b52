#pragma once

#include <cstdint>

#include <grpc/grpc.h>

// Exported by libgrpc for its own interoperability programs, and in no public header.
std::uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace interop {

// Whether the message that this call received last came compressed. `context` is a ClientContext or ServerContext.
template <class Context>
bool was_compressed(Context& context) {
  constexpr std::uint32_t kWasCompressed = 0x40000000;
  return (grpc_call_test_only_get_message_flags(context.c_call()) & kWasCompressed) != 0;
}

}  // namespace interop
