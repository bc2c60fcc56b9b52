#pragma once

#include <atomic>
#include <cstddef>
#include <optional>

#include <google/protobuf/message.h>

#include <micro/codec/message.hpp>

#include "free_list.hpp"
#include "json_plan.hpp"

namespace micro::codec {

// The MessageType of a protobuf class, generated or dynamic. Final, so that codecs recognise it with one comparison.
class ProtobufType final : public MessageType {
 public:
  enum class Spares : bool { kNone, kPerThread };

  // `prototype` and `plans` must outlive the type. With kPerThread the type must live as long as the program.
  ProtobufType(const google::protobuf::Message& prototype, PlanCache& plans, Spares spares);

  Family family() const noexcept override { return Family::kProtobuf; }
  std::string_view name() const noexcept override { return descriptor_.full_name(); }
  void* acquire() const override;
  void release(void* message) const noexcept override;
  Schema schema() const override;
  std::vector<std::string> file_descriptors() const override;

  PlanCache& plans() const noexcept { return plans_; }
  const MessagePlan& plan() const {
    const MessagePlan* known = plan_.load(std::memory_order_acquire);
    return known != nullptr ? *known : make_plan();
  }

  // Codecs tell how large the message they handled is on the wire, so that release() knows when to measure.
  void saw_encoded(std::size_t bytes) const {
    if (bytes > kLargeEncoded) [[unlikely]] {
      watch();
    }
  }

 private:
  static constexpr std::size_t kLargeEncoded = 16 * 1024;
  static constexpr std::size_t kLargestSpare = 64 * 1024;

  const MessagePlan& make_plan() const;
  void watch() const;

  const google::protobuf::Message& prototype_;
  const google::protobuf::Descriptor& descriptor_;
  PlanCache& plans_;
  mutable std::atomic<const MessagePlan*> plan_{nullptr};
  std::optional<FreeListSlot> spares_;
};

// What codecs call after they handled `bytes` of the message behind `ref`; for types of other origin it does nothing.
inline void saw_encoded(MessageRef ref, std::size_t bytes) {
  if (const auto* type = dynamic_cast<const ProtobufType*>(ref.type)) type->saw_encoded(bytes);
}

// The plans of the program's generated messages, which live as long as their pool: for ever.
PlanCache& generated_plans();

}  // namespace micro::codec
