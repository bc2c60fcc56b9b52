#include "json_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "json_text.hpp"

namespace micro::codec {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

}  // namespace

Result<void> JsonWriter::write(const Message& root, const MessagePlan& plan) { return report(message(root, plan), plan); }

Result<void> JsonWriter::write_field(const Message& root, const MessagePlan& plan, const FieldPlan& field) {
  const auto* reflection = root.GetReflection();
  const auto written = [&] {
    if (field.map) return map(root, field, reflection->FieldSize(root, field.field));
    if (field.repeated) return list(root, field, reflection->FieldSize(root, field.field));
    // An unset message is not an empty one, and some, such as Value, have no JSON when they are empty.
    if (field.presence && field.message != nullptr && !reflection->HasField(root, field.field)) {
      out_.append("null");
      return true;
    }
    return value(root, field, kSingle);
  };
  return report(written() || in(shown_name(field)), plan);
}

Result<void> JsonWriter::report(bool done, const MessagePlan& plan) {
  if (done) return {};
  std::string text = "cannot write " + plan.descriptor->full_name() + " as JSON: ";
  if (!path_.empty()) text.append("field \"").append(path_).append("\": ");
  Error error(Code::kInternal, text + failure_);
  if (!path_.empty()) error.with("field", std::move(path_));
  return micro::fail(std::move(error));
}

bool JsonWriter::fail(std::string text) {
  failure_ = std::move(text);
  return false;
}

bool JsonWriter::in(std::string_view part) {
  std::string path(part);
  if (!path_.empty() && path_.front() != '[') path.push_back('.');
  path_.insert(0, path);
  return false;
}

bool JsonWriter::open(char bracket) {
  if (depth_ == options_.max_depth) return fail("nested deeper than " + std::to_string(options_.max_depth) + " levels");
  ++depth_;
  out_.push_back(bracket);
  return true;
}

void JsonWriter::separate(bool& first) {
  if (!std::exchange(first, false)) out_.push_back(',');
  if (options_.pretty) line();
}

void JsonWriter::close(char bracket, bool empty) {
  --depth_;
  if (options_.pretty && !empty) line();
  out_.push_back(bracket);
}

void JsonWriter::line() {
  const std::size_t spaces = 2 * static_cast<std::size_t>(depth_);
  char* to = out_.prepare(1 + spaces);
  *to = '\n';
  std::memset(to + 1, ' ', spaces);
  out_.commit(1 + spaces);
}

void JsonWriter::key(std::string_view key) {
  out_.append(key);
  if (options_.pretty) out_.push_back(' ');
}

bool JsonWriter::message(const Message& message, const MessagePlan& plan) {
  const auto size = [&](const FieldPlan& field) { return message.GetReflection()->FieldSize(message, field.field); };
  switch (plan.well_known) {
    case WellKnown::kNone:
      return object(message, plan);
    case WellKnown::kAny:
      return any(message, plan);
    case WellKnown::kTimestamp:
    case WellKnown::kDuration:
      return time(message, plan);
    case WellKnown::kFieldMask:
      return field_mask(message, plan);
    case WellKnown::kStruct:
      return map(message, plan.special(1), size(plan.special(1)));
    case WellKnown::kValue:
      return dynamic_value(message, plan);
    case WellKnown::kListValue:
      return list(message, plan.special(1), size(plan.special(1)));
    case WellKnown::kWrapper:
      return value(message, plan.special(1), kSingle);
  }
  return false;
}

bool JsonWriter::object(const Message& message, const MessagePlan& plan) {
  if (!open('{')) return false;
  bool first = true;
  if (!members(message, plan, first)) return false;
  close('}', first);
  return true;
}

bool JsonWriter::members(const Message& message, const MessagePlan& plan, bool& first) {
  for (const FieldPlan& field : plan.fields) {
    if (!member(message, field, first)) return in(shown_name(field));
  }
  if (!plan.extendable) return true;
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    if (field->is_extension()) return fail("extensions have no JSON form here") || in("[" + field->full_name() + "]");
  }
  return true;
}

bool JsonWriter::member(const Message& message, const FieldPlan& field, bool& first) {
  const auto* reflection = message.GetReflection();
  const bool many = field.repeated || field.map;
  const int size = many ? reflection->FieldSize(message, field.field) : reflection->HasField(message, field.field);
  if (size == 0 && (field.presence || !options_.emit_zero_values)) return true;
  separate(first);
  key(options_.proto_field_names ? field.proto_key : field.json_key);
  if (field.map) return map(message, field, size);
  if (field.repeated) return list(message, field, size);
  return value(message, field, kSingle);
}

bool JsonWriter::list(const Message& message, const FieldPlan& field, int size) {
  if (!open('[')) return false;
  bool first = true;
  for (int i = 0; i < size; ++i) {
    separate(first);
    if (!value(message, field, i)) return in("[" + std::to_string(i) + "]");
  }
  close(']', first);
  return true;
}

bool JsonWriter::map(const Message& message, const FieldPlan& field, int size) {
  const FieldPlan& key_field = field.message->fields[0];
  const FieldPlan& mapped = field.message->fields[1];
  const auto* reflection = message.GetReflection();
  std::vector<std::pair<std::string, const Message*>> entries;
  entries.reserve(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i) {
    const Message& entry = reflection->GetRepeatedMessage(message, field.field, i);
    map_key(entry, key_field, entries.emplace_back(std::string(), &entry).first);
  }
  std::ranges::sort(entries);
  if (!open('{')) return false;
  bool first = true;
  for (const auto& [name, entry] : entries) {
    separate(first);
    if (!text(name)) return in("[" + shown(name) + "]");
    key(":");
    if (!value(*entry, mapped, kSingle)) return in("[" + shown(name) + "]");
  }
  close('}', first);
  return true;
}

void JsonWriter::map_key(const Message& entry, const FieldPlan& key, std::string& out) const {
  const auto* reflection = entry.GetReflection();
  switch (key.type) {
    case FieldDescriptor::CPPTYPE_STRING:
      out = reflection->GetStringReference(entry, key.field, &out);
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      out = reflection->GetBool(entry, key.field) ? "true" : "false";
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      out = std::to_string(reflection->GetInt32(entry, key.field));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      out = std::to_string(reflection->GetInt64(entry, key.field));
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      out = std::to_string(reflection->GetUInt32(entry, key.field));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      out = std::to_string(reflection->GetUInt64(entry, key.field));
      break;
    default:
      break;  // protobuf has no other keys
  }
}

bool JsonWriter::value(const Message& message, const FieldPlan& field, int index) {
  const auto& r = *message.GetReflection();
  const FieldDescriptor* f = field.field;
  const bool single = index == kSingle;
  switch (field.type) {
    case FieldDescriptor::CPPTYPE_INT32:
      integer(single ? r.GetInt32(message, f) : r.GetRepeatedInt32(message, f, index));
      return true;
    case FieldDescriptor::CPPTYPE_UINT32:
      integer(single ? r.GetUInt32(message, f) : r.GetRepeatedUInt32(message, f, index));
      return true;
    case FieldDescriptor::CPPTYPE_INT64:
      long_integer(single ? r.GetInt64(message, f) : r.GetRepeatedInt64(message, f, index));
      return true;
    case FieldDescriptor::CPPTYPE_UINT64:
      long_integer(single ? r.GetUInt64(message, f) : r.GetRepeatedUInt64(message, f, index));
      return true;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      real(single ? r.GetDouble(message, f) : r.GetRepeatedDouble(message, f, index));
      return true;
    case FieldDescriptor::CPPTYPE_FLOAT:
      real(single ? r.GetFloat(message, f) : r.GetRepeatedFloat(message, f, index));
      return true;
    case FieldDescriptor::CPPTYPE_BOOL:
      out_.append((single ? r.GetBool(message, f) : r.GetRepeatedBool(message, f, index)) ? "true" : "false");
      return true;
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string& s =
          single ? r.GetStringReference(message, f, &scratch_) : r.GetRepeatedStringReference(message, f, index, &scratch_);
      if (!field.bytes) return text(s);
      bytes(s);
      return true;
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      enumeration(field, single ? r.GetEnumValue(message, f) : r.GetRepeatedEnumValue(message, f, index));
      return true;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return this->message(single ? r.GetMessage(message, f) : r.GetRepeatedMessage(message, f, index), *field.message);
  }
  return false;
}

bool JsonWriter::text(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  out_.push_back('"');
  for (;;) {
    const char* const start = p;
    // What needs no escape goes out in one piece, characters beyond ASCII included.
    for (;;) {
      p += plain_prefix(p, end);
      if (p == end || static_cast<unsigned char>(*p) < 0x80) break;
      const std::size_t size = utf8_sequence(p, end);
      if (size == 0) return fail("invalid UTF-8 in " + shown(text) + "; use a bytes field for what is not text");
      p += size;
    }
    out_.append(start, static_cast<std::size_t>(p - start));
    if (p == end) break;
    char* const to = out_.prepare(6);
    out_.commit(static_cast<std::size_t>(escape(*p++, to) - to));
  }
  out_.push_back('"');
  return true;
}

void JsonWriter::bytes(std::string_view bytes) {
  const std::size_t size = base64_size(bytes.size());
  char* to = out_.prepare(size + 2);
  to[0] = '"';
  base64_encode(bytes, to + 1);
  to[size + 1] = '"';
  out_.commit(size + 2);
}

void JsonWriter::enumeration(const FieldPlan& field, int number) {
  if (field.null_value) {
    out_.append("null");
    return;
  }
  // Enums of proto3 are open: values of a newer schema travel as numbers.
  const EnumValueDescriptor* known = options_.enum_as_number ? nullptr : field.field->enum_type()->FindValueByNumber(number);
  if (known == nullptr) return integer(number);
  out_.push_back('"');
  out_.append(known->name());
  out_.push_back('"');
}

template <class Integer>
void JsonWriter::integer(Integer number) {
  constexpr std::size_t kLongest = 20;
  char* to = out_.prepare(kLongest);
  out_.commit(static_cast<std::size_t>(std::to_chars(to, to + kLongest, number).ptr - to));
}

template <class Integer>
void JsonWriter::long_integer(Integer number) {
  if (!options_.int64_as_string) return integer(number);
  out_.push_back('"');
  integer(number);
  out_.push_back('"');
}

template <class Float>
void JsonWriter::real(Float number) {
  if (std::isnan(number)) return out_.append("\"NaN\"");
  if (std::isinf(number)) return out_.append(number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  // Some readers take "-0" for an integer, which has no sign then; protobuf's does.
  if (number == 0 && std::signbit(number)) return out_.append("-0.0");
  constexpr std::size_t kLongest = 32;
  char* to = out_.prepare(kLongest);
  out_.commit(static_cast<std::size_t>(std::to_chars(to, to + kLongest, number).ptr - to));
}

}  // namespace micro::codec
