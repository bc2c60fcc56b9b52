#include "free_list.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace micro::codec {
namespace {

std::atomic<std::uint32_t> next_index{0};

struct ThreadLists {
  std::vector<std::unique_ptr<FreeList>> lists;
  ~ThreadLists();
};

// Outlives every other thread_local object of its thread, since it needs no destruction: later destructors still may ask it.
constinit thread_local bool ended = false;
thread_local ThreadLists thread_lists;

ThreadLists::~ThreadLists() { ended = true; }

}  // namespace

FreeListSlot::FreeListSlot(FreeList::Destroy destroy) noexcept
    : destroy_(destroy), index_(next_index.fetch_add(1, std::memory_order_relaxed)) {}

FreeList* FreeListSlot::local() const {
  if (ended) [[unlikely]] {
    return nullptr;
  }
  auto& lists = thread_lists.lists;
  if (index_ < lists.size() && lists[index_] != nullptr) [[likely]] {
    return lists[index_].get();
  }
  if (lists.size() <= index_) lists.resize(index_ + 1);
  lists[index_] = std::make_unique<FreeList>(destroy_);
  return lists[index_].get();
}

}  // namespace micro::codec
