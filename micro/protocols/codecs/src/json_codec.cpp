#include <micro/codecs/json_codec.hpp>

#include <algorithm>
#include <string>

#include <micro/codecs/bytes.hpp>
#include <micro/codecs/protobuf.hpp>

#include "family.hpp"
#include "json_reader.hpp"
#include "json_text.hpp"
#include "json_writer.hpp"
#include "protobuf_type.hpp"

namespace micro::codec {
namespace {

// Calls use(plans, plan) with what is known of the message's type.
template <class Use>
Result<void> with_plan(MessageRef ref, Use use) {
  if (const auto* type = dynamic_cast<const ProtobufType*>(ref.type)) return use(type->plans(), type->plan());
  // A protobuf type somebody else made. Only the generated pool is known to outlive what is remembered about it.
  const auto& descriptor = *protobuf_message(ref).GetDescriptor();
  if (descriptor.file()->pool() == google::protobuf::DescriptorPool::generated_pool()) {
    return use(generated_plans(), generated_plans().get(descriptor));
  }
  PlanCache plans;
  return use(plans, plans.get(descriptor));
}

std::string no_field(const MessagePlan& plan, std::string_view name) {
  return plan.descriptor->full_name() + " has no field " + shown(name);
}

}  // namespace

JsonCodec::JsonCodec(const JsonOptions& options) : options_(options) {
  options_.max_depth = std::clamp(options.max_depth, 1, 1000);
}

Result<void> JsonCodec::marshal(MessageRef message, Buffer& out) const {
  if (message.type->family() == Family::kBytes) {
    out.append(bytes_message(message));
    return {};
  }
  if (message.type->family() != Family::kProtobuf) return unknown_family(*this, message);
  const std::size_t before = out.size();
  Result<void> written = with_plan(message, [&](PlanCache& plans, const MessagePlan& plan) {
    const auto& protobuf = protobuf_message(message);
    if (!protobuf.IsInitialized()) return missing_fields("cannot write ", " as JSON", protobuf, Code::kInternal);
    return JsonWriter(options_, plans, out).write(protobuf, plan);
  });
  if (!written) {
    out.truncate(before);
    return written;
  }
  saw_encoded(message, out.size() - before);
  return written;
}

Result<void> JsonCodec::unmarshal(std::string_view bytes, MessageRef message) const {
  if (message.type->family() == Family::kBytes) {
    bytes_message(message).assign(bytes);
    return {};
  }
  if (message.type->family() != Family::kProtobuf) return unknown_family(*this, message);
  saw_encoded(message, bytes.size());
  auto& protobuf = protobuf_message(message);
  protobuf.Clear();
  return with_plan(message, [&](PlanCache& plans, const MessagePlan& plan) {
    return JsonReader(options_, plans, bytes).read(protobuf, plan);
  });
}

Result<void> JsonCodec::unmarshal_partial(std::string_view bytes, MessageRef message) const {
  if (message.type->family() != Family::kProtobuf) return unknown_family(*this, message);
  saw_encoded(message, bytes.size());
  auto& protobuf = protobuf_message(message);
  protobuf.Clear();
  return with_plan(message, [&](PlanCache& plans, const MessagePlan& plan) {
    return JsonReader(options_, plans, bytes).read_partial(protobuf, plan);
  });
}

Result<void> JsonCodec::unmarshal_field(std::string_view bytes, MessageRef message, std::string_view field) const {
  if (message.type->family() != Family::kProtobuf) return unknown_family(*this, message);
  saw_encoded(message, bytes.size());
  return with_plan(message, [&](PlanCache& plans, const MessagePlan& plan) -> Result<void> {
    const FieldPlan* found = plan.find(field);
    if (found == nullptr) return fail(invalid_argument(no_field(plan, field)));
    return JsonReader(options_, plans, bytes).read_field(protobuf_message(message), plan, *found);
  });
}

Result<void> JsonCodec::marshal_field(MessageRef message, std::string_view field, Buffer& out) const {
  if (message.type->family() != Family::kProtobuf) return unknown_family(*this, message);
  const std::size_t before = out.size();
  Result<void> written = with_plan(message, [&](PlanCache& plans, const MessagePlan& plan) -> Result<void> {
    const FieldPlan* found = plan.find(field);
    if (found == nullptr) return fail(internal(no_field(plan, field)));
    return JsonWriter(options_, plans, out).write_field(protobuf_message(message), plan, *found);
  });
  if (!written) out.truncate(before);
  return written;
}

}  // namespace micro::codec
