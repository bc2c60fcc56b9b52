#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace micro {

// A growable run of bytes with a read end and a write end: append at the back, consume at the front.
//
// Appending to an empty buffer reuses its memory; memory comes from a pool of the calling thread in power-of-two blocks
// (256 B to 1 MiB; larger ones from malloc), so buffers that come and go with calls do not allocate. A buffer may be destroyed
// on another thread than the one it was filled on: its block then joins that thread's pool.
// Thread safety: as for std::string. Pointers and views are valid until the next call that appends, reserves or clears.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { release(); }

  const char* data() const noexcept { return block_ + read_; }
  char* data() noexcept { return block_ + read_; }
  std::size_t size() const noexcept { return write_ - read_; }
  bool empty() const noexcept { return read_ == write_; }
  std::string_view view() const noexcept { return {data(), size()}; }

  // Makes room for `count` bytes behind the present ones and returns where they go; commit() then takes over what was written.
  char* prepare(std::size_t count) {
    if (capacity_ - write_ < count) grow(count);
    return block_ + write_;
  }
  void commit(std::size_t count) noexcept { write_ += count; }

  void append(const void* bytes, std::size_t count) {
    if (count == 0) return;
    std::memcpy(prepare(count), bytes, count);
    write_ += count;
  }
  void append(std::string_view text) { append(text.data(), text.size()); }
  void push_back(char byte) {
    *prepare(1) = byte;
    ++write_;
  }

  // Forgets the first `count` bytes; `count` must not exceed size().
  void consume(std::size_t count) noexcept {
    read_ += count;
    if (read_ == write_) read_ = write_ = 0;
  }
  // Drops the last bytes so that `size` remain; `size` must not exceed size().
  void truncate(std::size_t size) noexcept { write_ = read_ + size; }
  // Empty, with the memory kept; release() gives the memory back to the pool as well.
  void clear() noexcept { read_ = write_ = 0; }
  void release() noexcept;

  std::size_t capacity() const noexcept { return capacity_; }
  // How many bytes prepare() can give without growing or moving the present ones.
  std::size_t room() const noexcept { return capacity_ - write_; }

 private:
  void grow(std::size_t count);

  char* block_ = nullptr;
  std::size_t read_ = 0;
  std::size_t write_ = 0;
  std::size_t capacity_ = 0;
};

// Big-endian (network order) integers, as wire formats want them. The caller vouches for the room.
inline void store_be16(char* out, std::uint16_t v) noexcept {
  out[0] = char(v >> 8);
  out[1] = char(v);
}
inline void store_be24(char* out, std::uint32_t v) noexcept {
  out[0] = char(v >> 16);
  store_be16(out + 1, std::uint16_t(v));
}
inline void store_be32(char* out, std::uint32_t v) noexcept {
  store_be16(out, std::uint16_t(v >> 16));
  store_be16(out + 2, std::uint16_t(v));
}
inline std::uint16_t load_be16(const char* in) noexcept {
  return std::uint16_t((std::uint8_t(in[0]) << 8) | std::uint8_t(in[1]));
}
inline std::uint32_t load_be24(const char* in) noexcept { return (std::uint32_t(std::uint8_t(in[0])) << 16) | load_be16(in + 1); }
inline std::uint32_t load_be32(const char* in) noexcept { return (std::uint32_t(load_be16(in)) << 16) | load_be16(in + 2); }

}  // namespace micro
