#include <micro/loop/loop.hpp>

#include <algorithm>
#include <utility>

#include "loop_impl.hpp"

namespace micro {
namespace {

constinit thread_local Loop* current_loop = nullptr;

// Coroutines resumed in one turn before the kernel is asked again.
constexpr std::size_t kReadyBudget = 256;

// Makes `loop` the loop of this thread; loops may nest (a test runs one from inside another).
class Running {
 public:
  Running(Loop& loop, bool& flag)
      : flag_(flag), was_running_(std::exchange(flag, true)), loop_(std::exchange(current_loop, &loop)), state_(resume_state) {
    resume_state = {&loop, 0};
  }
  ~Running() {
    resume_state = state_;
    current_loop = loop_;
    flag_ = was_running_;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  bool& flag_;
  bool was_running_;
  Loop* loop_;
  ResumeState state_;
};

}  // namespace

void ReadyRing::grow() {
  std::vector<std::coroutine_handle<>> larger(std::max<std::size_t>(64, slots_.size() * 2));
  for (std::size_t i = 0; i < size_; ++i) larger[i] = slots_[(first_ + i) & (slots_.size() - 1)];
  slots_.swap(larger);
  first_ = 0;
}

bool RemoteQueue::post(const Item& item) {
  std::lock_guard lock(mutex_);
  if (events_ == nullptr) return false;
  items_.push_back(item);
  if (items_.size() == 1) events_->wake();
  return true;
}

void RemoteQueue::wake() {
  std::lock_guard lock(mutex_);
  if (events_ != nullptr) events_->wake();
}

std::size_t RemoteQueue::drain() {
  {
    std::lock_guard lock(mutex_);
    batch_.swap(items_);
  }
  for (const Item& item : batch_) {
    resume_state.depth = 0;
    if (item.plain != nullptr)
      item.plain(item.argument);
    else
      item.owned(item.argument, true);
  }
  const std::size_t count = batch_.size();
  batch_.clear();
  return count;
}

void RemoteQueue::close() {
  std::vector<Item> left;
  {
    std::lock_guard lock(mutex_);
    events_ = nullptr;
    left.swap(items_);
  }
  for (const Item& item : left) {
    if (item.owned != nullptr) item.owned(item.argument, false);
  }
}

Loop::Impl::Impl(Loop& owner, Options loop_options)
    : loop(owner), options(std::move(loop_options)), remote(std::make_shared<RemoteQueue>(events)) {
  for (Deferred* head : {&deferred, &running_deferred}) head->next_ = head->previous_ = head;
}

Loop::Impl::~Impl() {
  remote->close();
  timers.clear();
  for (Deferred* head : {&deferred, &running_deferred}) {
    for (Deferred* work = head->next_; work != head;) {
      work->loop_ = nullptr;
      work = work->next_;
    }
  }
}

Deferred::~Deferred() {
  if (loop_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
}

bool Loop::Impl::turn(Duration limit) {
  const bool busy = !ready.empty() || deferred.next_ != &deferred;
  if (busy) {
    limit = Duration::zero();
  } else if (!timers.empty()) {
    const Duration until = std::max(Duration::zero(), timers.earliest() - now);
    if (limit < Duration::zero() || until < limit) limit = until;
  }
  bool worked = events.wait(limit);
  // A wait may have taken any time; without one, the time of the last turn's end is good enough.
  if (limit != Duration::zero()) now = Clock::now();
  const TimePoint began = now;
  turn_began.store(began, std::memory_order_relaxed);
  std::uint32_t flags = 0;
  while (EventSource* source = events.next(flags)) {
    resume_state.depth = 0;  // each has the whole budget of inline resumptions
    source->on_events(flags);
  }
  ++counters.turns;

  if (events.take_woken()) counters.posted += remote->drain();
  if (const std::size_t fired = timers.fire(now)) {
    counters.timers += fired;
    worked = true;
  }
  if (run_ready() != 0) worked = true;
  if (run_deferred()) worked = true;
  end_turn(began);
  return worked;
}

std::size_t Loop::Impl::run_ready() {
  std::size_t resumed = 0;
  while (resumed < kReadyBudget && !ready.empty()) {
    ++resumed;
    resume_state.depth = 0;
    ready.pop().resume();
  }
  counters.resumed += resumed;
  return resumed;
}

bool Loop::Impl::run_deferred() {
  if (deferred.next_ == &deferred) return false;
  // Moved to a list of their own first: work that asks for another round gets it in the next turn.
  running_deferred.next_ = deferred.next_;
  running_deferred.previous_ = deferred.previous_;
  running_deferred.next_->previous_ = running_deferred.previous_->next_ = &running_deferred;
  deferred.next_ = deferred.previous_ = &deferred;
  while (running_deferred.next_ != &running_deferred) {
    Deferred& work = *running_deferred.next_;
    running_deferred.next_ = work.next_;
    work.next_->previous_ = &running_deferred;
    work.loop_ = nullptr;
    resume_state.depth = 0;
    work.function_(work.argument_);
  }
  return true;
}

void Loop::Impl::end_turn(TimePoint began) {
  now = Clock::now();
  turn_began.store(TimePoint(), std::memory_order_relaxed);
  const Duration length = now - began;
  counters.longest_turn_ns = std::max<std::int64_t>(counters.longest_turn_ns, length.count());
  if (length <= options.lag_threshold) return;
  ++counters.lags;
  if (options.lag_observer != nullptr) options.lag_observer->on_lag(options.name, length);
}

Loop::Loop() : Loop(Options()) {}
Loop::Loop(Options options) : impl_(std::make_unique<Impl>(*this, std::move(options))) {}
Loop::~Loop() = default;

Loop* Loop::current() noexcept { return current_loop; }

void Loop::run() {
  Running running(*this, impl_->running);
  impl_->now = Clock::now();
  while (!impl_->stopping.load(std::memory_order_acquire)) impl_->turn(Duration(-1));
  impl_->stopping = false;
}

bool Loop::run_once(Duration wait) {
  Running running(*this, impl_->running);
  impl_->now = Clock::now();
  return impl_->turn(std::max(Duration::zero(), wait));
}

void Loop::stop() {
  impl_->stopping = true;
  impl_->remote->wake();
}

TimePoint Loop::now() const noexcept { return impl_->running ? impl_->now : Clock::now(); }

void Loop::post(std::coroutine_handle<> handle) { impl_->ready.push(handle); }

void Loop::post_remote(void (*function)(void*), void* argument) { impl_->remote->post({function, nullptr, argument}); }

void Loop::post_owned(void (*function)(void*, bool), void* argument) {
  if (!impl_->remote->post({nullptr, function, argument})) function(argument, false);
}

void Loop::defer(Deferred& work) noexcept {
  if (work.loop_ != nullptr) return;
  Deferred& head = impl_->deferred;
  work.loop_ = this;
  work.next_ = &head;
  work.previous_ = head.previous_;
  head.previous_->next_ = &work;
  head.previous_ = &work;
}

const std::string& Loop::name() const noexcept { return impl_->options.name; }
const LoopCounters& Loop::counters() const noexcept { return impl_->counters; }

}  // namespace micro
