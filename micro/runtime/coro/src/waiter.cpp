#include <micro/coro/waiter.hpp>

#include <stdexcept>
#include <utility>

namespace micro {

void Waiter::suspend(std::coroutine_handle<> handle, WaiterList* list, Context* context) {
  queue_ = resume_state.queue;
  if (queue_ == nullptr) throw std::logic_error("a coroutine waits on a thread that runs no loop: nothing could resume it");
  handle_ = handle;
  context_ = context;
  cancelled_ = false;
  if (list != nullptr) {
    list_ = list;
    next_ = nullptr;
    previous_ = list->last_;
    (previous_ != nullptr ? previous_->next_ : list->first_) = this;
    list->last_ = this;
  }
  if (context != nullptr) callback_.link(context->cancellation(), &Waiter::on_cancel, this);
}

void Waiter::wake() {
  if (!handle_) return;
  unlink();
  callback_.unlink();
  queue_->post(std::exchange(handle_, {}));
}

Result<void> Waiter::outcome() const {
  if (!cancelled_) return {};
  return std::unexpected(context_->error().value_or(micro::cancelled("the call was cancelled")));
}

void Waiter::on_cancel(void* self, const Error&) {
  auto* waiter = static_cast<Waiter*>(self);
  waiter->cancelled_ = true;
  waiter->wake();
}

void Waiter::unlink() noexcept {
  if (list_ == nullptr) return;
  (previous_ != nullptr ? previous_->next_ : list_->first_) = next_;
  (next_ != nullptr ? next_->previous_ : list_->last_) = previous_;
  list_ = nullptr;
}

bool WaiterList::wake_one() {
  if (first_ == nullptr) return false;
  first_->wake();
  return true;
}

void WaiterList::wake_all() {
  while (wake_one()) {
  }
}

}  // namespace micro
