#include <micro/bytes/buffer.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "pool.hpp"

namespace micro {
namespace {

constexpr std::size_t kSmallestBuffer = 256;

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)),
      read_(std::exchange(other.read_, 0)),
      write_(std::exchange(other.write_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  block_ = std::exchange(other.block_, nullptr);
  read_ = std::exchange(other.read_, 0);
  write_ = std::exchange(other.write_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

void Buffer::release() noexcept {
  if (block_ != nullptr) bytes::deallocate(block_, capacity_);
  block_ = nullptr;
  read_ = write_ = capacity_ = 0;
}

void Buffer::grow(std::size_t count) {
  const std::size_t used = size();
  // Moving pays only when a fair share was consumed: else a full buffer that loses and gains a byte at a time would move all of
  // its bytes for each of them.
  if (capacity_ - used >= count && read_ >= used / 4) {
    std::memmove(block_, block_ + read_, used);
    read_ = 0;
    write_ = used;
    return;
  }
  if (count > std::numeric_limits<std::ptrdiff_t>::max() - used) throw std::length_error("micro::Buffer: too many bytes");
  const std::size_t wanted = std::max(used + count, capacity_ + capacity_ / 2);
  const std::size_t capacity = bytes::block_size(std::max(wanted, kSmallestBuffer));
  char* const block = static_cast<char*>(bytes::allocate(capacity));
  if (used != 0) std::memcpy(block, data(), used);
  if (block_ != nullptr) bytes::deallocate(block_, capacity_);
  block_ = block;
  read_ = 0;
  write_ = used;
  capacity_ = capacity;
}

}  // namespace micro
