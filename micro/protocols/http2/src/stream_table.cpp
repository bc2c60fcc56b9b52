#include "stream_table.hpp"

#include <algorithm>

namespace micro::http2 {
namespace {

constexpr std::size_t kPooledStreams = 1024;
constexpr std::size_t kFirstSlots = 8;
constexpr std::size_t kKeptSlots = 256;

struct StreamPool {
  std::vector<std::unique_ptr<StreamState>> free;
};
thread_local StreamPool pool;

}  // namespace

StreamState* acquire_stream(std::uint32_t id) {
  StreamState* stream = nullptr;
  if (pool.free.empty()) {
    stream = new StreamState;
  } else {
    stream = pool.free.back().release();
    pool.free.pop_back();
  }
  stream->id_ = id;
  return stream;
}

void recycle_stream(StreamState* stream) noexcept {
  std::unique_ptr<StreamState> owner(stream);
  if (pool.free.size() >= kPooledStreams) return;
  // In place, so that a new field cannot be forgotten here.
  std::destroy_at(stream);
  std::construct_at(stream);
  if (pool.free.capacity() == 0) pool.free.reserve(kPooledStreams);
  pool.free.push_back(std::move(owner));
}

void StreamTable::insert(StreamState* stream) {
  // At most half full.
  if (!slots_ || (count_ + 1) * 2 > mask_ + 1) resize(slots_ ? (mask_ + 1) * 2 : kFirstSlots);
  std::size_t slot = slot_of(stream->id_);
  while (slots_[slot] != nullptr) slot = (slot + 1) & mask_;
  slots_[slot] = stream;
  ++count_;
}

void StreamTable::erase(std::uint32_t id) noexcept {
  std::size_t hole = slot_of(id);
  while (slots_[hole]->id_ != id) hole = (hole + 1) & mask_;
  // Backward shift: whoever probed past the hole moves up, so no tombstones are needed.
  for (std::size_t slot = (hole + 1) & mask_; slots_[slot] != nullptr; slot = (slot + 1) & mask_) {
    const std::size_t home = slot_of(slots_[slot]->id_);
    if (((slot - home) & mask_) >= ((slot - hole) & mask_)) {
      slots_[hole] = slots_[slot];
      hole = slot;
    }
  }
  slots_[hole] = nullptr;
  if (--count_ == 0 && mask_ + 1 > kKeptSlots) slots_.reset();
}

void StreamTable::resize(std::size_t slots) {
  auto old = std::move(slots_);
  const std::size_t old_slots = old ? mask_ + 1 : 0;
  slots_ = std::make_unique<StreamState*[]>(slots);
  mask_ = slots - 1;
  count_ = 0;
  for (std::size_t i = 0; i < old_slots; ++i) {
    if (old[i] != nullptr) insert(old[i]);
  }
}

std::vector<std::uint32_t> StreamTable::ids() const {
  std::vector<std::uint32_t> result;
  for_each([&](const StreamState& stream) { result.push_back(stream.id_); });
  std::ranges::sort(result);
  return result;
}

void SendQueue::push(StreamState& stream) noexcept {
  if (stream.in_turn) return;
  stream.in_turn = true;
  stream.next = nullptr;
  stream.previous = last_;
  (last_ != nullptr ? last_->next : first_) = &stream;
  last_ = &stream;
}

StreamState& SendQueue::pop() noexcept {
  StreamState& stream = *first_;
  remove(stream);
  return stream;
}

void SendQueue::remove(StreamState& stream) noexcept {
  if (!stream.in_turn) return;
  stream.in_turn = false;
  (stream.previous != nullptr ? stream.previous->next : first_) = stream.next;
  (stream.next != nullptr ? stream.next->previous : last_) = stream.previous;
  stream.next = stream.previous = nullptr;
}

void ResetStreams::add(std::uint32_t id, bool by_us) noexcept {
  forgotten_ = std::max(forgotten_, ring_[at_] & ~kByUs);
  ring_[at_] = id | (by_us ? kByUs : 0);
  at_ = static_cast<std::uint8_t>((at_ + 1) % ring_.size());
}

ResetStreams::Fate ResetStreams::fate(std::uint32_t id) const noexcept {
  // The latest entry counts: a stream the peer has reset may be reset by us when it goes on sending.
  for (std::size_t i = 1; i <= ring_.size(); ++i) {
    const std::uint32_t entry = ring_[(at_ + ring_.size() - i) % ring_.size()];
    if ((entry & ~kByUs) == id) return (entry & kByUs) != 0 ? Fate::kResetByUs : Fate::kResetByPeer;
  }
  return id <= forgotten_ ? Fate::kResetByUs : Fate::kEnded;
}

}  // namespace micro::http2
