#include <micro/context/cancellation.hpp>

#include <utility>

namespace micro {

void CancelCallback::link(CancelSource& source, Function function, void* argument) {
  unlink();
  if (source.cancelled()) {
    const Error reason = *source.reason_;  // a copy: the callback may destroy the source
    function(argument, reason);
    return;
  }
  function_ = function;
  argument_ = argument;
  source_ = &source;
  previous_ = source.last_;
  (previous_ != nullptr ? previous_->next_ : source.first_) = this;
  source.last_ = this;
}

void CancelCallback::unlink() noexcept {
  if (source_ == nullptr) return;
  (previous_ != nullptr ? previous_->next_ : source_->first_) = next_;
  (next_ != nullptr ? next_->previous_ : source_->last_) = previous_;
  source_ = nullptr;
  next_ = previous_ = nullptr;
}

CancelSource::~CancelSource() { reset(); }

bool CancelSource::cancel(Error reason) {
  if (cancelled()) return false;
  reason_.emplace(reason);  // a copy: `reason` outlives this object should a callback destroy it
  cancelled_.store(true, std::memory_order_release);
  bool stop = false;
  stop_ = &stop;
  while (!stop && first_ != nullptr) {
    CancelCallback* const callback = first_;
    const CancelCallback::Function function = callback->function_;
    void* const argument = callback->argument_;
    callback->unlink();
    function(argument, reason);
  }
  if (!stop) stop_ = nullptr;
  return true;
}

void CancelSource::reset() noexcept {
  if (stop_ != nullptr) *std::exchange(stop_, nullptr) = true;
  while (first_ != nullptr) first_->unlink();
  reason_.reset();
  cancelled_.store(false, std::memory_order_release);
}

}  // namespace micro
