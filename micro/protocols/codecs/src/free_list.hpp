#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace micro::codec {

// Spare objects of one type on one thread, the last one released first out: its memory is warm.
class FreeList {
 public:
  static constexpr std::size_t kCapacity = 64;
  using Destroy = void (*)(void* object) noexcept;

  explicit FreeList(Destroy destroy) noexcept : destroy_(destroy) {}
  FreeList(const FreeList&) = delete;
  FreeList& operator=(const FreeList&) = delete;
  ~FreeList() {
    while (size_ > 0) destroy_(items_[--size_]);
  }

  // nullptr when there is none.
  void* take() noexcept { return size_ > 0 ? items_[--size_] : nullptr; }
  bool full() const noexcept { return size_ == kCapacity; }
  void put(void* object) noexcept { items_[size_++] = object; }

  // Measuring a message costs more than using it, so only some are measured before they are kept: every 64th, and the next 64
  // after a large one was seen.
  void watch() noexcept { watched_ = kCapacity; }
  bool measure_next() noexcept {
    if (watched_ > 0) {
      --watched_;
      return true;
    }
    return ++released_ % kCapacity == 0;
  }

 private:
  Destroy destroy_;
  std::uint32_t size_ = 0;
  std::uint32_t watched_ = 0;
  std::uint32_t released_ = 0;
  std::array<void*, kCapacity> items_;
};

// Names one list a thread; numbers are never reused, so this is for types that live as long as the program.
class FreeListSlot {
 public:
  explicit FreeListSlot(FreeList::Destroy destroy) noexcept;
  // The calling thread's list, or nullptr while the thread is ending and its lists are gone already.
  FreeList* local() const;

 private:
  FreeList::Destroy destroy_;
  std::uint32_t index_;
};

}  // namespace micro::codec
