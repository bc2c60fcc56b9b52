#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace micro::id {

// Random bytes fit for secrets. Throws std::system_error when the kernel has no generator.
void fill_from_kernel(void* out, std::size_t size);

// Appends the low `bytes` bytes of `value` in lower-case hex; returns `out`.
std::string& append_hex(std::string& out, std::uint64_t value, int bytes);

}  // namespace micro::id
