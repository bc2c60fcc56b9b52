#include <micro/codecs/proto_codec.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <micro/codecs/bytes.hpp>
#include <micro/codecs/protobuf.hpp>

#include "family.hpp"
#include "proto_diagnosis.hpp"
#include "protobuf_type.hpp"

namespace micro::codec {
namespace {

constexpr std::array<std::string_view, 2> kAliases{"application/x-protobuf", "application/proto"};
constexpr std::size_t kLargest = std::numeric_limits<int>::max();

Error malformed(std::string_view bytes, const google::protobuf::Descriptor& type) {
  std::string text = "protobuf for " + type.full_name() + ": ";
  auto fault = diagnose(bytes, type);
  if (!fault) return invalid_argument(text + "these " + std::to_string(bytes.size()) + " bytes are no message of this type");
  text += "byte " + std::to_string(fault->offset) + ": ";
  if (!fault->field.empty()) text += "field \"" + fault->field + "\": ";
  Error error = invalid_argument(text + fault->text);
  if (!fault->field.empty()) error.with("field", std::move(fault->field));
  return error;
}

}  // namespace

std::span<const std::string_view> ProtoCodec::content_type_aliases() const noexcept { return kAliases; }

Result<void> ProtoCodec::marshal(MessageRef message, Buffer& out) const {
  if (message.type->family() == Family::kBytes) {
    out.append(bytes_message(message));
    return {};
  }
  if (message.type->family() != Family::kProtobuf) return unknown_family(*this, message);
  const auto& protobuf = protobuf_message(message);
  if (!protobuf.IsInitialized()) return missing_fields("cannot write ", " as protobuf", protobuf, Code::kInternal);
  const std::size_t size = protobuf.ByteSizeLong();
  if (size > kLargest) {
    return fail(internal("cannot write " + std::string(message.type->name()) + " as protobuf: it has " + std::to_string(size) +
                         " bytes, 2 GiB are the limit"));
  }
  if (size != 0) {
    protobuf.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.prepare(size)));
    out.commit(size);
  }
  saw_encoded(message, size);
  return {};
}

Result<void> ProtoCodec::unmarshal(std::string_view bytes, MessageRef message) const {
  if (message.type->family() == Family::kBytes) {
    bytes_message(message).assign(bytes);
    return {};
  }
  if (message.type->family() != Family::kProtobuf) return unknown_family(*this, message);
  saw_encoded(message, bytes.size());
  auto& protobuf = protobuf_message(message);
  if (bytes.size() > kLargest) {
    return fail(invalid_argument("protobuf for " + std::string(message.type->name()) + ": it has " +
                                 std::to_string(bytes.size()) + " bytes, 2 GiB are the limit"));
  }
  // Partial, and the required fields looked for afterwards: protobuf's own check writes to the log.
  if (!protobuf.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(malformed(bytes, *protobuf.GetDescriptor()));
  }
  if (!protobuf.IsInitialized()) return missing_fields("protobuf for ", "", protobuf, Code::kInvalidArgument);
  return {};
}

}  // namespace micro::codec
