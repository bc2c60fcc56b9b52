#include <micro/offload/offload.hpp>

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace micro {

struct OffloadPool::Impl {
  struct Item {
    void (*function)(void*);
    void* argument;
  };

  void work(std::size_t index) {
    pthread_setname_np(pthread_self(), (options.name.substr(0, 12) + '-' + std::to_string(index)).c_str());
    std::unique_lock lock(mutex);
    for (;;) {
      if (!queue.empty()) {
        const Item item = queue.front();
        queue.pop_front();
        lock.unlock();
        item.function(item.argument);
        lock.lock();
      } else if (closing) {
        return;
      } else {
        ++idle;
        wake.wait(lock);
        --idle;
      }
    }
  }

  Options options;
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<Item> queue;
  std::vector<std::thread> threads;
  std::size_t idle = 0;
  bool closing = false;
};

OffloadPool::OffloadPool() : OffloadPool(Options()) {}

OffloadPool::OffloadPool(Options options) : impl_(std::make_unique<Impl>()) {
  options.threads = std::max<std::size_t>(1, options.threads);
  impl_->options = std::move(options);
}

OffloadPool::~OffloadPool() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->closing = true;
  }
  impl_->wake.notify_all();
  for (std::thread& thread : impl_->threads) thread.join();
}

std::size_t OffloadPool::queued() const noexcept {
  std::lock_guard lock(impl_->mutex);
  return impl_->queue.size();
}

void OffloadPool::post(void (*function)(void*), void* argument) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->queue.push_back({function, argument});
    // A thread that was woken and has not run yet still counts as idle: compare with the whole queue.
    if (impl_->idle < impl_->queue.size() && impl_->threads.size() < impl_->options.threads) {
      impl_->threads.emplace_back([impl = impl_.get(), index = impl_->threads.size()] { impl->work(index); });
      return;
    }
  }
  impl_->wake.notify_one();
}

Loop& OffloadPool::current_loop() {
  if (Loop* loop = Loop::current()) return *loop;
  throw std::logic_error("OffloadPool::run() awaited on a thread that runs no loop: start the coroutine on a Loop");
}

OffloadPool& default_offload_pool() {
  static OffloadPool& pool = *new OffloadPool();
  return pool;
}

}  // namespace micro
