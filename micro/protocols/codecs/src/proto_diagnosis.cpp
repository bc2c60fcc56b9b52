#include "proto_diagnosis.hpp"

#include <cstdint>
#include <utility>

#include "json_text.hpp"

namespace micro::codec {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

constexpr int kMaxDepth = 100;  // protobuf's own limit

// Walks the wire format: https://protobuf.dev/programming-guides/encoding/.
class Walk {
 public:
  explicit Walk(std::string_view bytes) : begin_(bytes.data()) {}

  // Reads the fields in `rest`, which is consumed; of an unknown message when `type` is null. `group` is the field number of the
  // group being read, 0 for none.
  bool fields(std::string_view& rest, const Descriptor* type, std::uint64_t group, int depth) {
    if (depth > kMaxDepth) return fault(rest, "nested deeper than " + std::to_string(kMaxDepth) + " messages");
    while (!rest.empty()) {
      const std::string_view start = rest;
      std::uint64_t tag = 0;
      if (!varint(rest, tag)) return false;
      const std::uint64_t number = tag >> 3;
      if (number == 0 || number > static_cast<std::uint64_t>(FieldDescriptor::kMaxNumber)) {
        return fault(start, "not a field: its number would be " + std::to_string(number));
      }
      if ((tag & 7) == 4) {
        return number == group || fault(start, "the end of a group that was not started");
      }
      const FieldDescriptor* field = type != nullptr ? type->FindFieldByNumber(static_cast<int>(number)) : nullptr;
      if (!value(rest, start, tag & 7, number, field, depth)) return field != nullptr && in(field->name());
    }
    return group == 0 || fault(rest, "the end of a group is missing");
  }

  ProtoFault result;

 private:
  bool value(std::string_view& rest, std::string_view start, std::uint64_t wire_type, std::uint64_t number,
             const FieldDescriptor* field, int depth) {
    std::uint64_t length = 0;
    switch (wire_type) {
      case 0:
        return varint(rest, length);
      case 1:
        return take(rest, 8);
      case 5:
        return take(rest, 4);
      case 3:
        return fields(rest, field != nullptr ? field->message_type() : nullptr, number, depth + 1);
      case 2:
        break;
      default:
        return fault(start, "wire type " + std::to_string(wire_type) + " does not exist");
    }
    if (!varint(rest, length)) return false;
    std::string_view content = rest.substr(0, length);
    if (!take(rest, length)) return false;
    if (field == nullptr) return true;
    if (field->type() == FieldDescriptor::TYPE_MESSAGE) return fields(content, field->message_type(), 0, depth + 1);
    if (field->type() != FieldDescriptor::TYPE_STRING || field->file()->syntax() != FileDescriptor::SYNTAX_PROTO3) return true;
    return utf8(content);
  }

  bool utf8(std::string_view text) {
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p != end) {
      const std::size_t size = static_cast<unsigned char>(*p) < 0x80 ? 1 : utf8_sequence(p, end);
      if (size == 0) return fault({p, 1}, "invalid UTF-8 in a string");
      p += size;
    }
    return true;
  }

  bool varint(std::string_view& rest, std::uint64_t& out) {
    const std::string_view start = rest;
    out = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (rest.empty()) return fault(start, "cut off inside a number");
      const auto byte = static_cast<unsigned char>(rest.front());
      rest.remove_prefix(1);
      out |= shift < 64 ? std::uint64_t{byte & 0x7fu} << shift : 0;
      if (byte < 0x80) return true;
    }
    return fault(start, "a number longer than 10 bytes");
  }

  bool take(std::string_view& rest, std::uint64_t count) {
    if (count > rest.size()) {
      return fault(rest, "cut off: " + std::to_string(count) + " bytes should follow, there are " + std::to_string(rest.size()));
    }
    rest.remove_prefix(count);
    return true;
  }

  bool fault(std::string_view at, std::string text) {
    result.offset = static_cast<std::size_t>(at.data() - begin_);
    result.text = std::move(text);
    return false;
  }

  bool in(const std::string& field) {
    result.field.insert(0, result.field.empty() ? field : field + ".");
    return false;
  }

  const char* begin_;
};

}  // namespace

std::optional<ProtoFault> diagnose(std::string_view bytes, const Descriptor& type) {
  Walk walk(bytes);
  std::string_view rest = bytes;
  if (walk.fields(rest, &type, 0, 1)) return std::nullopt;
  return std::move(walk.result);
}

}  // namespace micro::codec
