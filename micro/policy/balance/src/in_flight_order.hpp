#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace micro::balance {

// Servers in the order of their calls under way. A count changes by one at a time, so a list for each count is enough, and every
// operation is O(1). Those with equal counts stand in a queue.
class InFlightOrder {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{};

  void clear(std::size_t slots);
  // At the end of the queue of its count.
  void add(std::uint32_t slot, std::uint32_t count);
  // The count of a slot was `count` and is one more, or one less. Nothing happens when it was not added.
  void more(std::uint32_t slot, std::uint32_t count) { move(slot, count, count + 1); }
  void less(std::uint32_t slot, std::uint32_t count) { move(slot, count, count - 1); }
  // To the end of its queue.
  void requeue(std::uint32_t slot, std::uint32_t count) { move(slot, count, count); }
  // The first with the smallest count; kNone when nobody was added.
  std::uint32_t first() const noexcept { return smallest_ < queues_.size() ? queues_[smallest_].first : kNone; }

 private:
  struct Queue {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  struct Links {
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    bool listed = false;
  };
  void move(std::uint32_t slot, std::uint32_t from, std::uint32_t to);
  void push(std::uint32_t slot, std::uint32_t count);
  void remove(std::uint32_t slot, std::uint32_t count);

  std::vector<Links> links_;      // by slot
  std::vector<Queue> queues_;     // by count
  std::size_t smallest_ = kNone;  // the first queue that is not empty
};

}  // namespace micro::balance
