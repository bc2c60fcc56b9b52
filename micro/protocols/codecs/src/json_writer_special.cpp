// The well-known types whose JSON is not an object of their fields.
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "field_path.hpp"
#include "json_text.hpp"
#include "json_writer.hpp"

namespace micro::codec {
bool JsonWriter::time(const Message& message, const MessagePlan& plan) {
  const auto* reflection = message.GetReflection();
  const SecondsNanos value{reflection->GetInt64(message, plan.special(1).field),
                           reflection->GetInt32(message, plan.special(2).field)};
  const bool is_timestamp = plan.well_known == WellKnown::kTimestamp;
  const auto written = is_timestamp ? timestamp_text(value) : duration_text(value);
  if (!written) {
    const std::string what = std::to_string(value.seconds) + " seconds and " + std::to_string(value.nanos) + " nanos are no ";
    return fail(what + (is_timestamp ? "timestamp of the years 1 to 9999" : "duration of at most 10000 years with one sign"));
  }
  return text(*written);
}

bool JsonWriter::field_mask(const Message& message, const MessagePlan& plan) {
  const auto* reflection = message.GetReflection();
  const auto* paths = plan.special(1).field;
  std::string joined;
  for (int i = 0; i < reflection->FieldSize(message, paths); ++i) {
    const std::string path = reflection->GetRepeatedString(message, paths, i);
    const auto name = field_path_to_json(path);
    if (!name) return fail("the path " + shown(path) + " has no JSON form; paths are made of snake_case names");
    if (i > 0) joined.push_back(',');
    joined += *name;
  }
  return text(joined);
}

bool JsonWriter::dynamic_value(const Message& message, const MessagePlan& plan) {
  const auto* reflection = message.GetReflection();
  for (std::size_t number = 2; number <= 6; ++number) {
    const FieldPlan& field = plan.special(number);
    if (!reflection->HasField(message, field.field)) continue;
    if (number == 2 && !std::isfinite(reflection->GetDouble(message, field.field))) {
      return fail("a google.protobuf.Value cannot hold NaN or Infinity in JSON");
    }
    return value(message, field, kSingle);
  }
  // The null value, and a value nobody set.
  out_.append("null");
  return true;
}

bool JsonWriter::any(const Message& message, const MessagePlan& plan) {
  const auto* reflection = message.GetReflection();
  const std::string url = reflection->GetString(message, plan.special(1).field);
  const std::string bytes = reflection->GetString(message, plan.special(2).field);
  if (url.empty() && bytes.empty()) {
    if (!open('{')) return false;
    close('}', true);
    return true;
  }
  const std::size_t slash = url.rfind('/');
  const std::string name = slash == url.npos ? std::string() : url.substr(slash + 1);
  const auto* type = message.GetDescriptor()->file()->pool()->FindMessageTypeByName(name);
  const Message* prototype = type != nullptr ? reflection->GetMessageFactory()->GetPrototype(type) : nullptr;
  if (prototype == nullptr) return fail("it holds a message of type " + shown(url) + ", which is not known here");
  const std::unique_ptr<Message> inner(prototype->New());
  if (!inner->ParsePartialFromString(bytes)) return fail("its content is not a valid " + name);
  return any_content(*inner, url);
}

bool JsonWriter::any_content(const Message& inner, std::string_view url) {
  const MessagePlan& plan = plans_.get(*inner.GetDescriptor());
  if (!open('{')) return false;
  bool first = true;
  separate(first);
  key("\"@type\":");
  if (!text(url)) return false;
  if (plan.well_known == WellKnown::kNone) {
    if (!members(inner, plan, first)) return false;
  } else {
    separate(first);
    key("\"value\":");
    if (!message(inner, plan)) return in("value");
  }
  close('}', first);
  return true;
}

}  // namespace micro::codec
