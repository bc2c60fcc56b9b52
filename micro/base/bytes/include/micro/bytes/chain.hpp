#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <micro/bytes/buffer.hpp>

namespace micro {

// A queue of bytes made of several Buffers: what waits to be written to a socket. Small appends gather in the last block; a
// large Buffer is moved in whole, without a copy.
//
// Thread safety: as for std::deque. Views are valid until the next non-const call.
class Chain {
 public:
  // Moved-in buffers smaller than this are copied into the last block instead: a memcpy is cheaper than one more iovec.
  static constexpr std::size_t kCopyThreshold = 4096;

  Chain() = default;
  Chain(Chain&& other) noexcept;
  Chain& operator=(Chain&& other) noexcept;
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  ~Chain();

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  void append(std::string_view bytes);
  void append(Buffer&& buffer);
  // Takes everything from `other`.
  void append(Chain&& other);
  // Moves the first `count` bytes (at most size()) of this chain to the end of `out`, another chain; whole blocks move
  // without a copy.
  void move_to(Chain& out, std::size_t count);

  // Room for `count` contiguous bytes at the end; commit() takes over what was written there.
  char* prepare(std::size_t count);
  void commit(std::size_t count) noexcept;

  // Forgets the first `count` bytes; `count` must not exceed size().
  void consume(std::size_t count) noexcept;
  void clear() noexcept;

  // The first contiguous run; empty when the chain is.
  std::string_view front() const noexcept;
  // Fills `out` with the first runs, for writev; returns how many it set.
  std::size_t gather(std::span<std::string_view> out) const noexcept;
  // All bytes as one run: free when they are one already, else copied together.
  std::string_view flatten();

 private:
  struct Node;
  Node* push(Buffer&& buffer);
  void drop_first() noexcept;

  Node* first_ = nullptr;
  Node* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace micro
