#include "protobuf_type.hpp"

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <unordered_map>

#include <micro/codecs/protobuf.hpp>

#include "descriptors.hpp"

namespace micro::codec {
namespace {

using google::protobuf::Message;

void destroy(void* message) noexcept { delete static_cast<Message*>(message); }

// One type a generated class, however many translation units and libraries ask.
class GeneratedTypes {
 public:
  const MessageType& get(const Message& message) {
    const google::protobuf::Descriptor* descriptor = message.GetDescriptor();
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = types_.find(descriptor); found != types_.end()) return *found->second;
    }
    const Message* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor);
    if (prototype == nullptr) {
      throw std::invalid_argument(descriptor->full_name() + " is not a generated class: take its type from its DynamicTypes");
    }
    const std::unique_lock lock(mutex_);
    std::unique_ptr<ProtobufType>& type = types_[descriptor];
    if (type == nullptr) {
      type = std::make_unique<ProtobufType>(*prototype, generated_plans(), ProtobufType::Spares::kPerThread);
    }
    return *type;
  }

 private:
  std::shared_mutex mutex_;
  std::unordered_map<const google::protobuf::Descriptor*, std::unique_ptr<ProtobufType>> types_;
};

}  // namespace

ProtobufType::ProtobufType(const Message& prototype, PlanCache& plans, Spares spares)
    : prototype_(prototype), descriptor_(*prototype.GetDescriptor()), plans_(plans) {
  if (spares == Spares::kPerThread) spares_.emplace(&destroy);
}

void* ProtobufType::acquire() const {
  if (spares_) {
    if (FreeList* list = spares_->local()) {
      if (void* warm = list->take()) return warm;
    }
  }
  return prototype_.New();
}

void ProtobufType::release(void* data) const noexcept {
  auto* message = static_cast<Message*>(data);
  FreeList* list = spares_ ? spares_->local() : nullptr;
  if (list == nullptr || list->full() || (list->measure_next() && message->SpaceUsedLong() > kLargestSpare)) {
    delete message;
    return;
  }
  message->Clear();
  list->put(message);
}

void ProtobufType::watch() const {
  if (!spares_) return;
  if (FreeList* list = spares_->local()) list->watch();
}

Schema ProtobufType::schema() const { return schema_of(descriptor_); }
std::vector<std::string> ProtobufType::file_descriptors() const { return files_of(descriptor_); }

const MessagePlan& ProtobufType::make_plan() const {
  const MessagePlan& plan = plans_.get(descriptor_);
  plan_.store(&plan, std::memory_order_release);
  return plan;
}

// Both are never destroyed: threads that end late still release messages into the types.
PlanCache& generated_plans() {
  static PlanCache& plans = *new PlanCache;
  return plans;
}

const MessageType& generated_type(const Message& prototype) {
  static GeneratedTypes& types = *new GeneratedTypes;
  return types.get(prototype);
}

MessageRef ref(const Message& message) { return {const_cast<Message*>(&message), &generated_type(message)}; }

}  // namespace micro::codec
