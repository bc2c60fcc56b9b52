#include "json_plan.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "json_text.hpp"

namespace micro::codec {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::size_t hash(std::string_view name) noexcept {
  std::uint64_t head = 0;
  std::uint64_t tail = 0;
  const std::size_t count = name.size() < 8 ? name.size() : 8;
  std::memcpy(&head, name.data(), count);
  std::memcpy(&tail, name.data() + (name.size() - count), count);
  std::uint64_t mixed = (head ^ std::rotl(tail, 29) ^ name.size()) * 0x9e3779b97f4a7c15u;
  return static_cast<std::size_t>(mixed ^ (mixed >> 32));
}

void add_name(MessagePlan& plan, std::string_view name, std::uint32_t field) {
  const std::size_t mask = plan.table.size() - 1;
  for (std::size_t i = hash(name) & mask;; i = (i + 1) & mask) {
    MessagePlan::Slot& slot = plan.table[i];
    if (slot.used && slot.name == name) return;
    if (!slot.used) {
      slot = {name, field, true};
      return;
    }
  }
}

struct Shape {
  FieldDescriptor::CppType type;
  bool repeated = false;
};

WellKnown kind_of(const Descriptor& message) {
  switch (message.well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_DOUBLEVALUE:
    case Descriptor::WELLKNOWNTYPE_FLOATVALUE:
    case Descriptor::WELLKNOWNTYPE_INT64VALUE:
    case Descriptor::WELLKNOWNTYPE_UINT64VALUE:
    case Descriptor::WELLKNOWNTYPE_INT32VALUE:
    case Descriptor::WELLKNOWNTYPE_UINT32VALUE:
    case Descriptor::WELLKNOWNTYPE_STRINGVALUE:
    case Descriptor::WELLKNOWNTYPE_BYTESVALUE:
    case Descriptor::WELLKNOWNTYPE_BOOLVALUE:
      return WellKnown::kWrapper;
    case Descriptor::WELLKNOWNTYPE_ANY:
      return WellKnown::kAny;
    case Descriptor::WELLKNOWNTYPE_FIELDMASK:
      return WellKnown::kFieldMask;
    case Descriptor::WELLKNOWNTYPE_DURATION:
      return WellKnown::kDuration;
    case Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      return WellKnown::kTimestamp;
    case Descriptor::WELLKNOWNTYPE_VALUE:
      return WellKnown::kValue;
    case Descriptor::WELLKNOWNTYPE_LISTVALUE:
      return WellKnown::kListValue;
    case Descriptor::WELLKNOWNTYPE_STRUCT:
      return WellKnown::kStruct;
    default:
      return WellKnown::kNone;
  }
}

std::vector<Shape> shape_of(WellKnown kind) {
  using enum FieldDescriptor::CppType;
  switch (kind) {
    case WellKnown::kNone:
    case WellKnown::kWrapper:
      return {};
    case WellKnown::kAny:
      return {{CPPTYPE_STRING}, {CPPTYPE_STRING}};
    case WellKnown::kTimestamp:
    case WellKnown::kDuration:
      return {{CPPTYPE_INT64}, {CPPTYPE_INT32}};
    case WellKnown::kFieldMask:
      return {{CPPTYPE_STRING, true}};
    case WellKnown::kStruct:
    case WellKnown::kListValue:
      return {{CPPTYPE_MESSAGE, true}};
    case WellKnown::kValue:
      return {{CPPTYPE_ENUM}, {CPPTYPE_DOUBLE}, {CPPTYPE_STRING}, {CPPTYPE_BOOL}, {CPPTYPE_MESSAGE}, {CPPTYPE_MESSAGE}};
  }
  return {};
}

// Descriptors received from elsewhere may call anything google.protobuf.Timestamp; one with other fields is an ordinary message.
void find_well_known(MessagePlan& plan) {
  const WellKnown kind = kind_of(*plan.descriptor);
  if (kind == WellKnown::kNone) return;
  for (const FieldPlan& field : plan.fields) {
    const int number = field.field->number();
    if (number <= std::ssize(plan.numbered)) plan.numbered[static_cast<std::size_t>(number - 1)] = &field;
  }
  if (kind == WellKnown::kWrapper) {
    const FieldPlan* value = plan.numbered[0];
    if (value == nullptr || value->field->is_repeated() || value->message != nullptr || plan.fields.size() != 1) return;
  }
  const std::vector<Shape> shape = shape_of(kind);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const FieldPlan* field = plan.numbered[i];
    if (field == nullptr || field->type != shape[i].type || field->field->is_repeated() != shape[i].repeated) return;
  }
  if ((kind == WellKnown::kStruct) != (plan.numbered[0]->map)) return;
  if (kind == WellKnown::kStruct && plan.numbered[0]->field->message_type()->map_key()->type() != FieldDescriptor::TYPE_STRING)
    return;
  plan.well_known = kind;
}

FieldPlan field_plan(const FieldDescriptor& field) {
  FieldPlan plan;
  plan.field = &field;
  plan.type = field.cpp_type();
  plan.bytes = field.type() == FieldDescriptor::TYPE_BYTES;
  plan.map = field.is_map();
  plan.repeated = field.is_repeated() && !plan.map;
  plan.presence = field.has_presence();
  plan.null_value = plan.type == FieldDescriptor::CPPTYPE_ENUM && field.enum_type()->full_name() == "google.protobuf.NullValue";
  plan.oneof = field.real_containing_oneof();
  plan.json_key = json_quoted(field.json_name()) + ":";
  plan.proto_key = json_quoted(field.name()) + ":";
  return plan;
}

}  // namespace

const FieldPlan* MessagePlan::find(std::string_view name) const noexcept {
  const std::size_t mask = table.size() - 1;
  for (std::size_t i = hash(name) & mask; table[i].used; i = (i + 1) & mask) {
    if (table[i].name == name) return &fields[table[i].field];
  }
  return nullptr;
}

const MessagePlan& PlanCache::get(const Descriptor& message) {
  const std::lock_guard lock(mutex_);
  std::vector<MessagePlan*> fresh;
  const MessagePlan& wanted = slot(message, fresh);
  // A worklist, not recursion: descriptors received from elsewhere can be chained as deeply as their sender likes.
  for (std::size_t done = 0; done < fresh.size(); ++done) {
    MessagePlan& plan = *fresh[done];
    const Descriptor& descriptor = *plan.descriptor;
    plan.extendable = descriptor.extension_range_count() > 0;
    plan.empty_message = descriptor.full_name() == "google.protobuf.Empty";
    const auto count = static_cast<std::size_t>(descriptor.field_count());
    plan.fields.reserve(count);
    plan.table.resize(std::bit_ceil(count * 4 + 1));
    for (std::uint32_t i = 0; i < count; ++i) {
      plan.fields.push_back(field_plan(*descriptor.field(static_cast<int>(i))));
      FieldPlan& field = plan.fields.back();
      if (const Descriptor* inner = field.field->message_type()) field.message = &slot(*inner, fresh);
    }
    // A JSON name wins over another field's original name.
    for (std::uint32_t i = 0; i < count; ++i) add_name(plan, plan.fields[i].field->json_name(), i);
    for (std::uint32_t i = 0; i < count; ++i) add_name(plan, plan.fields[i].field->name(), i);
  }
  for (MessagePlan* plan : fresh) find_well_known(*plan);
  return wanted;
}

MessagePlan& PlanCache::slot(const Descriptor& message, std::vector<MessagePlan*>& fresh) {
  std::unique_ptr<MessagePlan>& plan = plans_[&message];
  if (plan == nullptr) {
    plan = std::make_unique<MessagePlan>();
    plan->descriptor = &message;
    fresh.push_back(plan.get());
  }
  return *plan;
}

}  // namespace micro::codec
