#include <micro/loop/group.hpp>

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace micro {
namespace {

std::size_t usable_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());  // more processors than a cpu_set_t holds
}

}  // namespace

struct LoopGroup::Impl {
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::thread> threads;
};

LoopGroup::LoopGroup() : LoopGroup(Options()) {}

LoopGroup::LoopGroup(Options options) : impl_(std::make_unique<Impl>()) {
  const std::size_t size = options.size != 0 ? options.size : usable_processors();
  for (std::size_t i = 0; i < size; ++i) {
    impl_->loops.push_back(std::make_unique<Loop>(Loop::Options{.name = options.name + '-' + std::to_string(i),
                                                                .lag_threshold = options.lag_threshold,
                                                                .lag_observer = options.lag_observer}));
  }
}

LoopGroup::~LoopGroup() {
  stop();
  join();
}

std::size_t LoopGroup::size() const noexcept { return impl_->loops.size(); }
Loop& LoopGroup::loop(std::size_t index) noexcept { return *impl_->loops[index]; }

std::size_t LoopGroup::current_index() const noexcept {
  const auto found = std::ranges::find(impl_->loops, Loop::current(), [](const auto& loop) { return loop.get(); });
  return static_cast<std::size_t>(found - impl_->loops.begin());
}

void LoopGroup::start() {
  if (!impl_->threads.empty()) return;
  for (const auto& loop : impl_->loops) {
    impl_->threads.emplace_back([&loop = *loop] {
      // The kernel takes 15 characters; the end of the name tells the loops apart.
      const std::string& name = loop.name();
      pthread_setname_np(pthread_self(), name.substr(name.size() > 15 ? name.size() - 15 : 0).c_str());
      loop.run();
    });
  }
}

void LoopGroup::stop() {
  if (impl_->threads.empty()) return;
  for (const auto& loop : impl_->loops) loop->stop();
}

void LoopGroup::join() {
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

}  // namespace micro
