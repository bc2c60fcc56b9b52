#include "pool.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace micro::bytes {
namespace {

constexpr std::size_t kClasses = std::bit_width(kLargestBlock / kSmallestBlock);
constexpr std::size_t kPageSize = 4096;

constexpr std::size_t class_of(std::size_t size) noexcept { return std::bit_width(size / kSmallestBlock) - 1; }

// About 24 MiB a thread in all.
constexpr std::uint32_t limit_of(std::size_t block) noexcept {
  return static_cast<std::uint32_t>(std::clamp<std::size_t>((2 * kLargestBlock) / block, 4, 1024));
}

struct Free {
  Free* next;
};

struct Class {
  Free* first = nullptr;
  std::uint32_t count = 0;
};

// Trivially destructible, so it may be used while and after the thread's other objects are destroyed; Sweeper empties and closes
// it.
struct Pool {
  std::array<Class, kClasses> classes;
  enum class State : std::uint8_t { kUnused, kOpen, kClosed } state = State::kUnused;
};

constinit thread_local Pool pool;

struct Sweeper {
  Sweeper() = default;
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;
  ~Sweeper() {
    pool.state = Pool::State::kClosed;
    for (Class& entry : pool.classes) {
      while (Free* const block = entry.first) {
        entry.first = block->next;
        std::free(block);
      }
    }
  }
  void arm() noexcept { pool.state = Pool::State::kOpen; }
};

thread_local Sweeper sweeper;

}  // namespace

std::size_t block_size(std::size_t size) noexcept {
  if (size <= kSmallestBlock) return kSmallestBlock;
  if (size <= kLargestBlock) return std::bit_ceil(size);
  return size > SIZE_MAX - kPageSize ? size : (size + kPageSize - 1) / kPageSize * kPageSize;
}

void* allocate(std::size_t block_size) {
  if (kPooled && block_size <= kLargestBlock) {
    Class& entry = pool.classes[class_of(block_size)];
    if (Free* const block = entry.first) {
      entry.first = block->next;
      --entry.count;
      return block;
    }
  }
  void* const block = std::malloc(block_size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void deallocate(void* block, std::size_t block_size) noexcept {
  if (kPooled && block_size <= kLargestBlock && pool.state != Pool::State::kClosed) {
    Class& entry = pool.classes[class_of(block_size)];
    if (entry.count < limit_of(block_size)) {
      if (pool.state == Pool::State::kUnused) sweeper.arm();
      entry.first = new (block) Free{entry.first};
      ++entry.count;
      return;
    }
  }
  std::free(block);
}

std::size_t kept(std::size_t block_size) noexcept { return pool.classes[class_of(block_size)].count; }

}  // namespace micro::bytes
