#include <cstddef>
#include <new>

#include <micro/task/resume.hpp>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MICRO_FRAME_POOL_OFF 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define MICRO_FRAME_POOL_OFF 1
#endif

namespace micro {

constinit thread_local ResumeState resume_state;

#if defined(MICRO_FRAME_POOL_OFF)

// The address sanitizer finds a use after free only when memory is really freed.
void* allocate_frame(std::size_t size) { return ::operator new(size); }
void free_frame(void* frame, std::size_t size) noexcept { ::operator delete(frame, size); }

#else

namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kLargest = 2048;
constexpr std::size_t kClasses = kLargest / kStep;
// A bound for each size class of each thread: enough for the bursts of a busy loop, small beside what a burst itself took.
constexpr std::size_t kMaxBytesOfClass = 256 * 1024;

struct FreeFrame {
  FreeFrame* next;
};

struct Pool {
  FreeFrame* free[kClasses];
  std::size_t bytes[kClasses];
  // 0 before the first frame is kept and after the thread's end, so that the fast path has one test for both.
  std::size_t limit;
  bool closed;
};

// Without constructor and destructor, so that reaching it costs no guard, and so that frames freed by destructors of other
// thread-local objects, after the pool was emptied, still find it in a valid state.
constinit thread_local Pool pool{};

struct Closer {
  ~Closer() {
    pool.limit = 0;
    pool.closed = true;
    for (std::size_t i = 0; i < kClasses; ++i) {
      while (FreeFrame* frame = pool.free[i]) {
        pool.free[i] = frame->next;
        ::operator delete(frame);
      }
      pool.bytes[i] = 0;
    }
  }
  void touch() noexcept {}
};
thread_local Closer closer;

// Returns whether the pool may be used now.
bool open_pool() noexcept {
  if (pool.closed || pool.limit != 0) return false;
  closer.touch();
  pool.limit = kMaxBytesOfClass;
  return true;
}

constexpr std::size_t size_class(std::size_t size) noexcept { return (size - 1) / kStep; }
constexpr std::size_t class_bytes(std::size_t index) noexcept { return (index + 1) * kStep; }

}  // namespace

void* allocate_frame(std::size_t size) {
  if (size > kLargest) return ::operator new(size);
  const std::size_t index = size_class(size);
  if (FreeFrame* frame = pool.free[index]) [[likely]] {
    pool.free[index] = frame->next;
    pool.bytes[index] -= class_bytes(index);
    return frame;
  }
  return ::operator new(class_bytes(index));
}

void free_frame(void* frame, std::size_t size) noexcept {
  if (size <= kLargest) {
    const std::size_t index = size_class(size);
    if (pool.bytes[index] + class_bytes(index) <= pool.limit || open_pool()) [[likely]] {
      auto* entry = static_cast<FreeFrame*>(frame);
      entry->next = pool.free[index];
      pool.free[index] = entry;
      pool.bytes[index] += class_bytes(index);
      return;
    }
  }
  ::operator delete(frame);
}

#endif

}  // namespace micro
