#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace micro {

// Where coroutines wait for their turn on this thread. A Loop is one; tests may bring their own.
class ReadyQueue {
 public:
  virtual ~ReadyQueue() = default;
  // Resumes `handle` later on the thread of this queue, after what is queued already. Only from that thread.
  virtual void post(std::coroutine_handle<> handle) = 0;
};

// What a thread that runs coroutines keeps: its queue, and how many coroutines have resumed one another since the queue last
// had its turn. `queue` is null on threads without a loop.
struct ResumeState {
  ReadyQueue* queue = nullptr;
  std::uint32_t depth = 0;
};
extern constinit thread_local ResumeState resume_state;

// After this many inline resumptions the next coroutine takes a bounce through the ready queue. Correctness must not rest on
// tail calls, which compilers drop in some build modes, and one long chain must not starve the other connections of a loop.
inline constexpr std::uint32_t kMaxInlineResumptions = 64;

// For await_suspend: transfers control to `next` at once, or queues it and gives the thread back when the budget is used up.
inline std::coroutine_handle<> transfer(std::coroutine_handle<> next) noexcept {
  ResumeState& state = resume_state;
  if (++state.depth < kMaxInlineResumptions || state.queue == nullptr) [[likely]]
    return next;
  state.depth = 0;
  state.queue->post(next);
  return std::noop_coroutine();
}

// Whoever starts a coroutine and goes on after its first suspension holds one of these meanwhile: what ran in between added
// nothing to the stack, so it is not charged to the budget of the caller.
class KeepResumeDepth {
 public:
  KeepResumeDepth() noexcept : depth_(resume_state.depth) {}
  KeepResumeDepth(const KeepResumeDepth&) = delete;
  KeepResumeDepth& operator=(const KeepResumeDepth&) = delete;
  ~KeepResumeDepth() { resume_state.depth = depth_; }

 private:
  std::uint32_t depth_;
};

// Memory for coroutine frames: recycled on each thread by size class (64 B steps up to 2 KiB), malloc above. A frame may be
// freed on another thread than it came from.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

// Base class of promises whose frames come from that pool.
struct PooledFrame {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }
};

}  // namespace micro
