#include "heartbeats.hpp"

namespace micro::rpc {

void Heartbeat::unlink() noexcept {
  next_->previous_ = previous_;
  previous_->next_ = next_;
  next_ = previous_ = this;
  if (owner_ != nullptr) --owner_->size_;
  owner_ = nullptr;
}

void Heartbeats::add(Heartbeat& heartbeat) {
  heartbeat.unlink();
  heartbeat.owner_ = this;
  heartbeat.next_ = &anchor_;
  heartbeat.previous_ = anchor_.previous_;
  heartbeat.previous_->next_ = anchor_.previous_ = &heartbeat;
  ++size_;
  if (!timer_.pending()) arm();
  if (draining_) heartbeat.drain();
}

void Heartbeats::arm() {
  if (interval_ <= Duration::zero()) return;
  timer_.set(loop_, loop_.now() + interval_, [](void* self) { static_cast<Heartbeats*>(self)->beat(); }, this);
}

void Heartbeats::beat() {
  for_each([](Heartbeat& heartbeat) { heartbeat.beat(); });
  if (size_ > 0) arm();
}

void Heartbeats::drain() {
  draining_ = true;
  for_each([](Heartbeat& heartbeat) { heartbeat.drain(); });
}

// Those there are now; each may go away by it.
template <class F>
void Heartbeats::for_each(F action) {
  for (std::size_t left = size_; left > 0 && size_ > 0; --left) {
    Heartbeat& first = *anchor_.next_;
    // Behind those still to come.
    first.next_->previous_ = &anchor_;
    anchor_.next_ = first.next_;
    first.next_ = &anchor_;
    first.previous_ = anchor_.previous_;
    first.previous_->next_ = anchor_.previous_ = &first;
    action(first);
  }
}

}  // namespace micro::rpc
