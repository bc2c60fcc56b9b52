#include "in_flight_order.hpp"

namespace micro::balance {

void InFlightOrder::clear(std::size_t slots) {
  links_.assign(slots, {});
  queues_.assign(1, {});
  smallest_ = kNone;
}

void InFlightOrder::add(std::uint32_t slot, std::uint32_t count) {
  links_[slot].listed = true;
  push(slot, count);
}

void InFlightOrder::move(std::uint32_t slot, std::uint32_t from, std::uint32_t to) {
  if (slot >= links_.size() || !links_[slot].listed) return;
  remove(slot, from);
  push(slot, to);
  // Only here can the first queue have become empty, and the next one is not.
  while (queues_[smallest_].first == kNone) ++smallest_;
}

void InFlightOrder::push(std::uint32_t slot, std::uint32_t count) {
  if (count >= queues_.size()) queues_.resize(count + 1);
  Queue& queue = queues_[count];
  links_[slot].previous = queue.last;
  links_[slot].next = kNone;
  (queue.last != kNone ? links_[queue.last].next : queue.first) = slot;
  queue.last = slot;
  if (count < smallest_) smallest_ = count;
}

void InFlightOrder::remove(std::uint32_t slot, std::uint32_t count) {
  const Links links = links_[slot];
  Queue& queue = queues_[count];
  (links.previous != kNone ? links_[links.previous].next : queue.first) = links.next;
  (links.next != kNone ? links_[links.next].previous : queue.last) = links.previous;
}

}  // namespace micro::balance
