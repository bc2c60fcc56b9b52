#pragma once

#include <string>

namespace micro {

// A random UUID, version 4 (RFC 9562, section 5.4): "9b2f0c1e-6f0a-4b7e-9c55-0d1f3f6a2b11". From the kernel's generator.
std::string uuid_v4();

// A UUID, version 7 (RFC 9562, section 5.7): time-ordered with millisecond precision; ids made later on one thread sort later.
std::string uuid_v7();

// `bytes` random bytes from a fast generator of the calling thread, in lower-case hex. For request ids and jitter, not for
// secrets.
std::string random_hex(int bytes);

// A fast pseudo-random 64-bit number of the calling thread (xoshiro256++, seeded by the kernel). Not for secrets.
unsigned long long fast_random() noexcept;

}  // namespace micro
