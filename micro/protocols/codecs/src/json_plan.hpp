#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <google/protobuf/descriptor.h>

namespace micro::codec {

// The messages whose JSON is not simply an object of their fields. Wrappers (Int32Value, ...) hold one value and look like it.
enum class WellKnown : std::uint8_t { kNone, kAny, kTimestamp, kDuration, kFieldMask, kStruct, kValue, kListValue, kWrapper };

struct MessagePlan;

// What reader and writer need of a field, looked up once.
struct FieldPlan {
  const google::protobuf::FieldDescriptor* field = nullptr;
  google::protobuf::FieldDescriptor::CppType type = google::protobuf::FieldDescriptor::CPPTYPE_INT32;
  bool bytes = false;       // CPPTYPE_STRING holding bytes
  bool repeated = false;    // and not a map
  bool map = false;         // `message` is then the plan of the entry: fields[0] is the key, fields[1] the value
  bool presence = false;    // unset differs from zero
  bool null_value = false;  // the enum google.protobuf.NullValue
  const google::protobuf::OneofDescriptor* oneof = nullptr;  // a real one, not that of an optional
  const MessagePlan* message = nullptr;
  std::string json_key;   // "\"userName\":", escaped
  std::string proto_key;  // "\"user_name\":"

  std::string_view json_name() const noexcept { return field->json_name(); }
  // Whether JSON null is a value of this field rather than its absence.
  bool takes_null() const noexcept;
};

struct MessagePlan {
  const google::protobuf::Descriptor* descriptor = nullptr;
  WellKnown well_known = WellKnown::kNone;
  bool extendable = false;
  bool empty_message = false;     // google.protobuf.Empty
  std::vector<FieldPlan> fields;  // in the order of the .proto
  // Of a well-known type: the fields by number, all of the types they should have. special(1) is the first.
  std::array<const FieldPlan*, 6> numbered{};

  const FieldPlan& special(std::size_t number) const noexcept { return *numbered[number - 1]; }
  // The field with this JSON or original name, or nullptr.
  const FieldPlan* find(std::string_view name) const noexcept;

  // An open-addressing table of names; a power of two, at most half full.
  struct Slot {
    std::string_view name;
    std::uint32_t field = 0;
    bool used = false;
  };
  std::vector<Slot> table;
};

inline bool FieldPlan::takes_null() const noexcept {
  return null_value || (message != nullptr && message->well_known == WellKnown::kValue);
}

// The plans for the messages of one descriptor pool. It must not outlive the pool.
// Thread safety: all members may be called from any thread; plans never change once returned.
class PlanCache {
 public:
  // Makes the plan and those of all messages inside on first use.
  const MessagePlan& get(const google::protobuf::Descriptor& message);

 private:
  MessagePlan& slot(const google::protobuf::Descriptor& message, std::vector<MessagePlan*>& fresh);

  std::mutex mutex_;
  std::unordered_map<const google::protobuf::Descriptor*, std::unique_ptr<MessagePlan>> plans_;
};

}  // namespace micro::codec
