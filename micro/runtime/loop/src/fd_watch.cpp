#include <micro/loop/fd_watch.hpp>

#include <string>
#include <system_error>
#include <utility>

#include "loop_impl.hpp"

namespace micro {

// Armed for one event at a time: asking again tells at once when bytes are left, which is what a level-triggered watch promises.
struct FdWatch::Impl final : EventSource {
  Impl(Loop& owner, int descriptor) : loop(owner), fd(descriptor) {
    if (const int error = events().add(fd, EPOLLONESHOT, *this); error != 0) {
      throw std::system_error(error, std::generic_category(), "FdWatch: descriptor " + std::to_string(fd));
    }
  }
  ~Impl() {
    events().remove(fd, *this);
    finish(false);
  }
  EventQueue& events() noexcept { return loop.impl().events; }

  void on_events(std::uint32_t) override {
    if (waiting == nullptr) return;
    Awaiter& awaiter = *std::exchange(waiting, nullptr);
    awaiter.ready = true;
    awaiter.waiter.resume();
  }

  void finish(bool ready) {
    if (waiting == nullptr) return;
    Awaiter& awaiter = *std::exchange(waiting, nullptr);
    awaiter.ready = ready;
    loop.post(awaiter.waiter);
  }

  Loop& loop;
  const int fd;
  Awaiter* waiting = nullptr;
};

FdWatch::FdWatch(Loop& loop, int fd) : impl_(new Impl(loop, fd)) {}
FdWatch::~FdWatch() = default;

void FdWatch::start(Awaiter& awaiter) {
  impl_->waiting = &awaiter;
  const std::uint32_t wanted = EPOLLIN | EPOLLONESHOT | (awaiter.or_writable ? EPOLLOUT : 0U);
  if (impl_->events().change(impl_->fd, wanted, *impl_) != 0) impl_->finish(false);
}

void FdWatch::cancel() noexcept { impl_->finish(false); }

}  // namespace micro
