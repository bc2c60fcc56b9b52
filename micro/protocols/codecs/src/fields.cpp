#include <micro/codecs/fields.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "family.hpp"
#include "field_path.hpp"
#include "json_number.hpp"
#include "json_text.hpp"
#include "json_time.hpp"
#include "suggest.hpp"

namespace micro::codec {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

enum class Form : std::uint8_t { kNone, kScalar, kWrapper, kTimestamp, kDuration, kFieldMask };

// A program can be given descriptors in which a well-known name means something else.
bool has(const Descriptor& message, int number, FieldDescriptor::CppType type, bool repeated = false) {
  const FieldDescriptor* field = message.FindFieldByNumber(number);
  return field != nullptr && field->cpp_type() == type && field->is_repeated() == repeated;
}

Form form_of(const FieldDescriptor& field) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return Form::kScalar;
  const Descriptor& message = *field.message_type();
  const auto time = [&](Form form) {
    const bool sound = has(message, 1, FieldDescriptor::CPPTYPE_INT64) && has(message, 2, FieldDescriptor::CPPTYPE_INT32);
    return sound ? form : Form::kNone;
  };
  switch (message.well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_DOUBLEVALUE:
    case Descriptor::WELLKNOWNTYPE_FLOATVALUE:
    case Descriptor::WELLKNOWNTYPE_INT64VALUE:
    case Descriptor::WELLKNOWNTYPE_UINT64VALUE:
    case Descriptor::WELLKNOWNTYPE_INT32VALUE:
    case Descriptor::WELLKNOWNTYPE_UINT32VALUE:
    case Descriptor::WELLKNOWNTYPE_STRINGVALUE:
    case Descriptor::WELLKNOWNTYPE_BYTESVALUE:
    case Descriptor::WELLKNOWNTYPE_BOOLVALUE: {
      const FieldDescriptor* value = message.FindFieldByNumber(1);
      const bool sound = value != nullptr && !value->is_repeated() && value->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE;
      return sound ? Form::kWrapper : Form::kNone;
    }
    case Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      return time(Form::kTimestamp);
    case Descriptor::WELLKNOWNTYPE_DURATION:
      return time(Form::kDuration);
    case Descriptor::WELLKNOWNTYPE_FIELDMASK:
      return has(message, 1, FieldDescriptor::CPPTYPE_STRING, true) ? Form::kFieldMask : Form::kNone;
    default:
      return Form::kNone;
  }
}

auto refuse(std::string text) { return fail(invalid_argument(std::move(text))); }

template <class Value>
Result<void> store(Message& parent, const FieldDescriptor& field,
                   void (Reflection::*add)(Message*, const FieldDescriptor*, Value) const,
                   void (Reflection::*set)(Message*, const FieldDescriptor*, Value) const, Value value) {
  (parent.GetReflection()->*(field.is_repeated() ? add : set))(&parent, &field, std::move(value));
  return {};
}

template <class Integer>
Result<Integer> integer(std::string_view text) {
  Integer number = 0;
  if (text.empty() || number_prefix(text) != text.size()) return refuse("expected an integer, found " + shown(text));
  switch (parse_integer(text, number)) {
    case NumberStatus::kOk:
      return number;
    case NumberStatus::kOutOfRange:
      return refuse("number " + shown_number(text) + " does not fit into " + range_of<Integer>());
    default:
      return refuse("expected an integer, found number " + shown_number(text));
  }
}

template <class Float>
Result<Float> real(std::string_view text) {
  using Limits = std::numeric_limits<Float>;
  if (text == "NaN") return Limits::quiet_NaN();
  if (text == "Infinity") return Limits::infinity();
  if (text == "-Infinity") return -Limits::infinity();
  Float number = 0;
  if (text.empty() || number_prefix(text) != text.size()) return refuse("expected a number, found " + shown(text));
  if (parse_float(text, number) == NumberStatus::kOk) return number;
  return refuse("number " + shown_number(text) + " does not fit into a " + (sizeof(Float) == 4 ? "float" : "double"));
}

Result<int> enumeration(const google::protobuf::EnumDescriptor& type, std::string_view text) {
  if (const auto* known = type.FindValueByName(std::string(text))) return known->number();
  if (!text.empty() && number_prefix(text) == text.size()) {
    const Result<std::int32_t> number = integer<std::int32_t>(text);
    if (!number) return fail(number.error());
    const bool open = type.file()->syntax() != FileDescriptor::SYNTAX_PROTO2;
    if (open || type.FindValueByNumber(*number) != nullptr) return *number;
    return refuse("enum " + type.full_name() + " has no value with number " + std::to_string(*number));
  }
  std::vector<std::string_view> known;
  for (int i = 0; i < type.value_count(); ++i) known.push_back(type.value(i)->name());
  return refuse("enum " + type.full_name() + " has no value " + shown(text) + suggest(text, known));
}

bool is_utf8(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    const std::size_t size = static_cast<unsigned char>(*p) < 0x80 ? 1 : utf8_sequence(p, end);
    if (size == 0) return false;
    p += size;
  }
  return true;
}

Result<void> set_scalar(Message& parent, const FieldDescriptor& field, std::string_view text) {
  const auto put = [&](auto value, auto add, auto set) -> Result<void> {
    if (!value) return fail(std::move(value.error()));
    return store(parent, field, add, set, *std::move(value));
  };
  using R = Reflection;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return put(integer<std::int32_t>(text), &R::AddInt32, &R::SetInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return put(integer<std::int64_t>(text), &R::AddInt64, &R::SetInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return put(integer<std::uint32_t>(text), &R::AddUInt32, &R::SetUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return put(integer<std::uint64_t>(text), &R::AddUInt64, &R::SetUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return put(real<double>(text), &R::AddDouble, &R::SetDouble);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return put(real<float>(text), &R::AddFloat, &R::SetFloat);
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return refuse("expected true or false, found " + shown(text));
      return store(parent, field, &R::AddBool, &R::SetBool, text == "true");
    case FieldDescriptor::CPPTYPE_ENUM:
      return put(enumeration(*field.enum_type(), text), &R::AddEnumValue, &R::SetEnumValue);
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        auto decoded = base64_decode(text);
        if (!decoded) return refuse("not base64: " + shown(text));
        return store(parent, field, &R::AddString, &R::SetString, *std::move(decoded));
      }
      if (!is_utf8(text)) return refuse("not valid UTF-8: " + shown(text));
      return store(parent, field, &R::AddString, &R::SetString, std::string(text));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  throw std::invalid_argument(field.full_name() + " has no form as text");
}

Result<void> set_time(Message& message, const std::optional<SecondsNanos>& time, std::string otherwise) {
  if (!time) return refuse(std::move(otherwise));
  const Descriptor& type = *message.GetDescriptor();
  message.GetReflection()->SetInt64(&message, type.FindFieldByNumber(1), time->seconds);
  message.GetReflection()->SetInt32(&message, type.FindFieldByNumber(2), time->nanos);
  return {};
}

// "displayName" to "display_name"; a path that is in the spelling of the .proto already stays as it is.
std::optional<std::string> mask_path(std::string_view path) {
  if (path.find('_') == path.npos) return field_path_from_json(path);
  const bool has_capital = std::ranges::any_of(path, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (has_capital || !is_field_path(path)) return std::nullopt;
  return std::string(path);
}

Result<void> set_mask(Message& message, std::string_view text) {
  const FieldDescriptor* paths = message.GetDescriptor()->FindFieldByNumber(1);
  for (bool again = !text.empty(); again;) {
    const std::size_t comma = text.find(',');
    const std::string_view path = text.substr(0, comma);
    auto name = mask_path(path);
    if (!name) return refuse("not a field mask like \"user.displayName,photo\": " + shown(path));
    message.GetReflection()->AddString(&message, paths, *std::move(name));
    again = comma != text.npos;
    if (again) text.remove_prefix(comma + 1);
  }
  return {};
}

}  // namespace

Result<const FieldDescriptor*> find_field(const Descriptor& message, std::string_view name) {
  if (const FieldDescriptor* field = message.FindFieldByName(std::string(name))) return field;
  std::vector<std::string_view> known;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor* field = message.field(i);
    if (field->json_name() == name) return field;
    known.push_back(field->name());
  }
  const std::string safe = shown(name);
  if (known.empty()) return refuse(message.full_name() + " has no field " + safe + ", nor any other");
  return refuse(message.full_name() + " has no field " + safe + suggest(name, known));
}

bool has_text_form(const FieldDescriptor& field) noexcept { return !field.is_map() && form_of(field) != Form::kNone; }

Result<void> set_text(Message& parent, const FieldDescriptor& field, std::string_view text) {
  const Form form = form_of(field);
  if (form == Form::kScalar) return set_scalar(parent, field, text);
  if (form == Form::kNone) throw std::invalid_argument(field.full_name() + " has no form as text");
  const Reflection& reflection = *parent.GetReflection();
  Message& inner = field.is_repeated() ? *reflection.AddMessage(&parent, &field) : *reflection.MutableMessage(&parent, &field);
  switch (form) {
    case Form::kTimestamp:
      return set_time(inner, parse_timestamp(text),
                      "not a timestamp like \"2006-01-02T15:04:05.678Z\" of the years 1 to 9999: " + shown(text));
    case Form::kDuration:
      return set_time(inner, parse_duration(text),
                      "not a duration in seconds like \"1.5s\" of at most 10000 years: " + shown(text));
    case Form::kFieldMask:
      inner.Clear();
      return set_mask(inner, text);
    default:
      return set_scalar(inner, *inner.GetDescriptor()->FindFieldByNumber(1), text);
  }
}

Result<void> check_required(const Message& message) {
  if (message.IsInitialized()) return {};
  return missing_fields("", "", message, Code::kInvalidArgument);
}

}  // namespace micro::codec
