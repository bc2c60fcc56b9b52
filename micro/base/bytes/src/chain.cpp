#include <micro/bytes/chain.hpp>

#include <algorithm>
#include <new>
#include <utility>

#include "pool.hpp"

namespace micro {
namespace {

// The sizes the first block of a chain grows through: a connection that answers little costs little. Later blocks are full size.
constexpr std::size_t kFirstBlock = 512;
constexpr std::size_t kSecondBlock = 4096;
constexpr std::size_t kFullBlock = 16384;

std::size_t own_block(std::size_t needed) noexcept {
  if (needed <= kFirstBlock) return kFirstBlock;
  if (needed <= kSecondBlock) return kSecondBlock;
  return std::max(needed, kFullBlock);
}

}  // namespace

struct Chain::Node {
  Buffer buffer;
  Node* next = nullptr;

  static Node* make(Buffer&& buffer) {
    void* const memory = bytes::allocate(bytes::block_size(sizeof(Node)));
    return new (memory) Node{std::move(buffer)};
  }
  static void free(Node* node) noexcept {
    node->~Node();
    bytes::deallocate(node, bytes::block_size(sizeof(Node)));
  }
};

Chain::Chain(Chain&& other) noexcept
    : first_(std::exchange(other.first_, nullptr)),
      last_(std::exchange(other.last_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Chain& Chain::operator=(Chain&& other) noexcept {
  if (this == &other) return *this;
  clear();
  first_ = std::exchange(other.first_, nullptr);
  last_ = std::exchange(other.last_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

Chain::~Chain() { clear(); }

void Chain::clear() noexcept {
  while (first_ != nullptr) drop_first();
  size_ = 0;
}

Chain::Node* Chain::push(Buffer&& buffer) {
  Node* const node = Node::make(std::move(buffer));
  (last_ != nullptr ? last_->next : first_) = node;
  last_ = node;
  return node;
}

void Chain::drop_first() noexcept {
  Node* const node = first_;
  first_ = node->next;
  if (first_ == nullptr) last_ = nullptr;
  Node::free(node);
}

void Chain::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (last_ != nullptr) {
    const std::size_t used = last_->buffer.size();
    const bool grows = last_ == first_ && used + bytes.size() <= kFullBlock;
    const std::size_t fits = grows ? bytes.size() : std::min(bytes.size(), last_->buffer.room());
    if (fits != 0) {
      char* const out = grows ? prepare(fits) : last_->buffer.prepare(fits);
      std::copy_n(bytes.data(), fits, out);
      commit(fits);
      bytes.remove_prefix(fits);
      if (bytes.empty()) return;
    }
  }
  std::copy_n(bytes.data(), bytes.size(), prepare(bytes.size()));
  commit(bytes.size());
}

void Chain::append(Buffer&& buffer) {
  if (buffer.empty()) return;
  if (size_ != 0 && buffer.size() < kCopyThreshold) {
    append(buffer.view());
    buffer.clear();
    return;
  }
  const std::size_t added = buffer.size();
  push(std::move(buffer));
  size_ += added;
}

void Chain::append(Chain&& other) {
  if (&other == this) return;
  if (other.first_ == other.last_) {
    if (other.first_ != nullptr) append(std::move(other.first_->buffer));
    other.clear();
    return;
  }
  (last_ != nullptr ? last_->next : first_) = other.first_;
  last_ = other.last_;
  size_ += other.size_;
  other.first_ = other.last_ = nullptr;
  other.size_ = 0;
}

void Chain::move_to(Chain& out, std::size_t count) {
  if (count >= size_) {
    out.append(std::move(*this));
    return;
  }
  while (count != 0) {
    Buffer& front = first_->buffer;
    const std::size_t taken = std::min(count, front.size());
    if (taken == front.size()) {
      out.append(std::move(front));
      drop_first();
    } else {
      out.append(front.view().substr(0, taken));
      front.consume(taken);
    }
    size_ -= taken;
    count -= taken;
  }
}

char* Chain::prepare(std::size_t count) {
  if (last_ != nullptr) {
    Buffer& buffer = last_->buffer;
    if (buffer.room() >= count) return buffer.prepare(count);
    // The first block grows up to the full size, so that small traffic stays one run; one that holds nothing grows anyway.
    const std::size_t total = buffer.size() + count;
    if (buffer.empty() || (last_ == first_ && total <= kFullBlock)) return buffer.prepare(own_block(total) - buffer.size());
  }
  const std::size_t block = first_ == nullptr ? own_block(count) : std::max(count, kFullBlock);
  Buffer buffer;
  buffer.prepare(block);
  return push(std::move(buffer))->buffer.prepare(count);
}

void Chain::commit(std::size_t count) noexcept {
  if (count == 0) return;
  last_->buffer.commit(count);
  size_ += count;
}

void Chain::consume(std::size_t count) noexcept {
  size_ -= count;
  if (size_ == 0) return clear();
  while (count != 0) {
    const std::size_t taken = std::min(count, first_->buffer.size());
    count -= taken;
    if (taken == first_->buffer.size()) {
      drop_first();
    } else {
      first_->buffer.consume(taken);
    }
  }
}

std::string_view Chain::front() const noexcept {
  std::string_view run;
  gather({&run, 1});
  return run;
}

// A block is empty when room was prepared in it but nothing committed.
std::size_t Chain::gather(std::span<std::string_view> out) const noexcept {
  std::size_t count = 0;
  for (const Node* node = first_; node != nullptr && count < out.size(); node = node->next) {
    if (!node->buffer.empty()) out[count++] = node->buffer.view();
  }
  return count;
}

std::string_view Chain::flatten() {
  const std::string_view run = front();
  if (run.size() == size_) return run;
  Buffer whole;
  whole.prepare(size_);
  for (const Node* node = first_; node != nullptr; node = node->next) whole.append(node->buffer.view());
  const std::size_t size = size_;
  clear();
  push(std::move(whole));
  size_ = size;
  return front();
}

}  // namespace micro
