#include "event_queue.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

namespace micro {
namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

// The kernel counts milliseconds; rounded up, so that a timer is never early.
int milliseconds(Duration limit) {
  if (limit < Duration::zero()) return -1;
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  return static_cast<int>(std::min<std::int64_t>(count, std::numeric_limits<int>::max()));
}

}  // namespace

EventQueue::EventQueue() {
  epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  if (wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
    const int error = errno;
    if (wake_ >= 0) ::close(wake_);
    ::close(epoll_);
    throw std::system_error(error, std::generic_category(), "eventfd");
  }
}

EventQueue::~EventQueue() {
  ::close(wake_);
  ::close(epoll_);
}

int EventQueue::add(int fd, std::uint32_t events, EventSource& source) noexcept {
  epoll_event event{.events = events, .data = {.ptr = &source}};
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int EventQueue::change(int fd, std::uint32_t events, EventSource& source) noexcept {
  epoll_event event{.events = events, .data = {.ptr = &source}};
  return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : errno;
}

void EventQueue::remove(int fd, EventSource& source) noexcept {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  forget(source);
}

void EventQueue::forget(EventSource& source) noexcept {
  for (std::size_t i = at_; i < count_; ++i) {
    if (batch_[i].data.ptr == &source) batch_[i].data.ptr = nullptr;
  }
}

bool EventQueue::wait(Duration limit) {
  const int count = ::epoll_wait(epoll_, batch_.data(), static_cast<int>(batch_.size()), milliseconds(limit));
  at_ = 0;
  count_ = count > 0 ? static_cast<std::size_t>(count) : 0;  // interrupted by a signal: as if nothing had come
  for (std::size_t i = 0; i < count_; ++i) woken_ |= batch_[i].data.ptr == nullptr;
  return count_ != 0;
}

EventSource* EventQueue::next(std::uint32_t& events) noexcept {
  while (at_ < count_) {
    const epoll_event& event = batch_[at_++];
    if (event.data.ptr == nullptr) continue;  // a wake-up, or forgotten
    events = event.events;
    return static_cast<EventSource*>(event.data.ptr);
  }
  return nullptr;
}

bool EventQueue::take_woken() noexcept { return std::exchange(woken_, false); }

void EventQueue::wake() noexcept {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, after 2^64 wake-ups.
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

}  // namespace micro
