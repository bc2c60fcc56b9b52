#include <micro/loop/signals.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "loop_impl.hpp"

namespace micro {
namespace {

constexpr int kSignals = NSIG;

// What the signal handler touches of one Signals object. Made once, never freed and used again by later objects, because the
// handler may run at any time on any thread and cannot take a lock.
struct Slot {
  std::array<std::atomic<bool>, kSignals> wanted{};
  std::array<std::atomic<std::uint32_t>, kSignals> pending{};
  std::atomic<int> wake = -1;  // an eventfd, edge-triggered
  Slot* next = nullptr;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<Slot*>::is_always_lock_free);

std::atomic<Slot*> all_slots = nullptr;

void on_signal(int number) {
  const int saved = errno;
  for (Slot* slot = all_slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
    if (!slot->wanted[static_cast<std::size_t>(number)].load(std::memory_order_acquire)) continue;
    slot->pending[static_cast<std::size_t>(number)].fetch_add(1, std::memory_order_acq_rel);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(slot->wake.load(std::memory_order_relaxed), &one, sizeof one);
  }
  errno = saved;
}

// Slots that are free, and how many objects want each signal.
struct Registry {
  std::mutex mutex;
  std::vector<Slot*> free;
  std::array<int, kSignals> users{};
  std::array<struct sigaction, kSignals> former{};
};
Registry& registry() {
  static Registry* const instance = new Registry;  // outlives whatever is destroyed after main()
  return *instance;
}

Slot& take_slot() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  if (!all.free.empty()) {
    Slot& slot = *all.free.back();
    all.free.pop_back();
    for (auto& count : slot.pending) count.store(0, std::memory_order_relaxed);
    return slot;
  }
  const int wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake < 0) throw std::system_error(errno, std::generic_category(), "Signals: eventfd");
  auto* const slot = new Slot;
  slot->wake = wake;
  slot->next = all_slots.load(std::memory_order_relaxed);
  all_slots.store(slot, std::memory_order_release);
  return *slot;
}

// 0 or an errno.
int want(Slot& slot, int number) {
  if (number <= 0 || number >= kSignals) return EINVAL;
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  const auto index = static_cast<std::size_t>(number);
  if (slot.wanted[index].load(std::memory_order_relaxed)) return 0;
  if (all.users[index] == 0) {
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    if (::sigaction(number, &action, &all.former[index]) != 0) return errno;
  }
  ++all.users[index];
  slot.wanted[index].store(true, std::memory_order_release);
  return 0;
}

void release_slot(Slot& slot) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  for (int number = 1; number < kSignals; ++number) {
    const auto index = static_cast<std::size_t>(number);
    if (!slot.wanted[index].exchange(false)) continue;
    if (--all.users[index] == 0) ::sigaction(number, &all.former[index], nullptr);
  }
  all.free.push_back(&slot);
}

}  // namespace

struct Signals::Impl final : EventSource {
  explicit Impl(Loop& owner) : loop(owner), slot(take_slot()) {
    if (const int error = loop.impl().events.add(slot.wake, EPOLLIN | EPOLLET, *this); error != 0) {
      release_slot(slot);
      throw std::system_error(error, std::generic_category(), "Signals");
    }
  }
  ~Impl() {
    loop.impl().events.remove(slot.wake, *this);
    release_slot(slot);
    finish(0);
  }

  int take_pending() noexcept {
    for (int number = 1; number < kSignals; ++number) {
      auto& count = slot.pending[static_cast<std::size_t>(number)];
      if (count.load(std::memory_order_acquire) == 0) continue;
      count.fetch_sub(1, std::memory_order_acq_rel);
      return number;
    }
    return 0;
  }

  void on_events(std::uint32_t) override {
    if (waiting == nullptr) return;  // kept for the next call
    if (const int number = take_pending(); number != 0) finish(number);
  }

  void finish(int number) {
    if (waiting == nullptr) return;
    Awaiter& awaiter = *std::exchange(waiting, nullptr);
    awaiter.number = number;
    loop.post(awaiter.waiter);
  }

  Loop& loop;
  Slot& slot;
  Awaiter* waiting = nullptr;
};

Signals::Signals(Loop& loop, std::initializer_list<int> signals) : impl_(new Impl(loop)) {
  for (const int signal : signals) {
    if (const int error = want(impl_->slot, signal); error != 0) {
      throw std::system_error(error, std::generic_category(), "Signals: signal " + std::to_string(signal));
    }
  }
}

Signals::~Signals() = default;

void Signals::start(Awaiter& awaiter) {
  impl_->waiting = &awaiter;
  if (const int number = impl_->take_pending(); number != 0) impl_->finish(number);
}

void Signals::cancel() noexcept { impl_->finish(0); }

}  // namespace micro
