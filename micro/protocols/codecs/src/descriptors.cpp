#include "descriptors.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include <google/protobuf/descriptor.pb.h>

namespace micro::codec {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

// go-micro drops what lies deeper; this also ends recursive messages.
constexpr int kLevels = 3;

// "greeter.v1.Outer.Inner" gives "Outer_Inner", which is what protoc-gen-go calls it.
std::string go_name(std::string_view full_name, std::string_view package) {
  std::string name(package.empty() ? full_name : full_name.substr(package.size() + 1));
  std::ranges::replace(name, '.', '_');
  return name;
}

std::string scalar_type(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return "int32";
    case FieldDescriptor::CPPTYPE_INT64:
      return "int64";
    case FieldDescriptor::CPPTYPE_UINT32:
      return "uint32";
    case FieldDescriptor::CPPTYPE_UINT64:
      return "uint64";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "float64";
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "float32";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "bool";
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? "[]uint8" : "string";
    case FieldDescriptor::CPPTYPE_ENUM:
      return go_name(field.enum_type()->full_name(), field.enum_type()->file()->package());
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return go_name(field.message_type()->full_name(), field.message_type()->file()->package());
  }
  return {};
}

std::vector<Schema> fields_of(const Descriptor& message, int level) {
  std::vector<Schema> fields;
  if (level == kLevels) return fields;
  fields.reserve(static_cast<std::size_t>(message.field_count()));
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    Schema& out = fields.emplace_back();
    out.name = field.name();
    if (field.is_map()) {
      out.type = "map[" + scalar_type(*field.message_type()->map_key()) + "]" + scalar_type(*field.message_type()->map_value());
    } else if (field.is_repeated()) {
      out.type = "[]" + scalar_type(field);
    } else {
      out.type = scalar_type(field);
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) out.values = fields_of(*field.message_type(), level + 1);
    }
  }
  return fields;
}

void collect(const FileDescriptor& file, std::unordered_set<const FileDescriptor*>& seen, std::vector<std::string>& out) {
  if (!seen.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) collect(*file.dependency(i), seen, out);
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  out.push_back(proto.SerializeAsString());
}

}  // namespace

Schema schema_of(const Descriptor& message) {
  const std::string name = go_name(message.full_name(), message.file()->package());
  return {.name = name, .type = name, .values = fields_of(message, 1)};
}

std::vector<std::string> files_of(const Descriptor& message) {
  std::unordered_set<const FileDescriptor*> seen;
  std::vector<std::string> files;
  collect(*message.file(), seen, files);
  return files;
}

}  // namespace micro::codec
