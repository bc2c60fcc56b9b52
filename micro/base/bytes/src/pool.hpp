#pragma once

#include <cstddef>

namespace micro::bytes {

// Blocks of memory from a pool of the calling thread, in powers of two from kSmallestBlock to kLargestBlock; larger ones come
// from malloc. A block may be given back on any thread. Under AddressSanitizer every block comes from malloc, so that a use after
// the end of its life is seen.
inline constexpr std::size_t kSmallestBlock = 64;
inline constexpr std::size_t kLargestBlock = std::size_t{1} << 20;

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kPooled = false;
#elif defined(__has_feature)
inline constexpr bool kPooled = !__has_feature(address_sanitizer);
#else
inline constexpr bool kPooled = true;
#endif

// The size of the block that serves `size` bytes: pass it to allocate() and to deallocate().
std::size_t block_size(std::size_t size) noexcept;

// Throws std::bad_alloc when memory is short.
void* allocate(std::size_t block_size);
void deallocate(void* block, std::size_t block_size) noexcept;

// How many free blocks of this size the calling thread keeps; the bound is 2 MiB or 1024 blocks, but four of the large ones.
std::size_t kept(std::size_t block_size) noexcept;

}  // namespace micro::bytes
