#include <micro/codecs/bytes.hpp>

#include "free_list.hpp"

namespace micro::codec {
namespace {

class BytesType final : public MessageType {
 public:
  Family family() const noexcept override { return Family::kBytes; }
  std::string_view name() const noexcept override { return "bytes"; }

  void* acquire() const override {
    FreeList* list = spare_.local();
    void* warm = list != nullptr ? list->take() : nullptr;
    return warm != nullptr ? warm : new std::string;
  }

  void release(void* message) const noexcept override {
    auto* bytes = static_cast<std::string*>(message);
    FreeList* list = spare_.local();
    if (list == nullptr || list->full() || bytes->capacity() > kKeep) {
      delete bytes;
      return;
    }
    bytes->clear();
    list->put(bytes);
  }

  Schema schema() const override { return {.name = "bytes", .type = "[]uint8", .values = {}}; }

 private:
  static constexpr std::size_t kKeep = 64 * 1024;
  FreeListSlot spare_{[](void* bytes) noexcept { delete static_cast<std::string*>(bytes); }};
};

}  // namespace

const MessageType& bytes_type() {
  // Never destroyed: threads that end late still release into it.
  static const BytesType& type = *new BytesType;
  return type;
}

MessageRef ref(const std::string& bytes) { return {const_cast<std::string*>(&bytes), &bytes_type()}; }

}  // namespace micro::codec
