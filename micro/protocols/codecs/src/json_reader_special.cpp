// The well-known types whose JSON is not an object of their fields.
#include <cstdint>
#include <utility>
#include <vector>

#include "field_path.hpp"
#include "json_members.hpp"
#include "json_text.hpp"
#include "json_time.hpp"

namespace micro::codec {
namespace {

void store(google::protobuf::Message& message, const MessagePlan& plan, SecondsNanos value) {
  const auto* reflection = message.GetReflection();
  reflection->SetInt64(&message, plan.special(1).field, value.seconds);
  reflection->SetInt32(&message, plan.special(2).field, value.nanos);
}

}  // namespace

bool JsonReader::timestamp(Message& message, const MessagePlan& plan) {
  lexer_.peek();
  const char* const at = lexer_.at();
  std::string_view written;
  if (!text(written, "a timestamp in a string")) return false;
  const auto time = parse_timestamp(written);
  if (!time)
    return lexer_.fail(at, "not a timestamp like \"2006-01-02T15:04:05.678Z\" of the years 1 to 9999: " + shown(written));
  store(message, plan, *time);
  return true;
}

bool JsonReader::duration(Message& message, const MessagePlan& plan) {
  lexer_.peek();
  const char* const at = lexer_.at();
  std::string_view written;
  if (!text(written, "a duration in a string")) return false;
  const auto span = parse_duration(written);
  if (!span) return lexer_.fail(at, "not a duration in seconds like \"1.5s\" of at most 10000 years: " + shown(written));
  store(message, plan, *span);
  return true;
}

bool JsonReader::field_mask(Message& message, const MessagePlan& plan) {
  lexer_.peek();
  const char* const at = lexer_.at();
  std::string_view rest;
  if (!text(rest, "a field mask in a string")) return false;
  for (bool again = !rest.empty(); again;) {
    const std::size_t comma = rest.find(',');
    const std::string_view path = rest.substr(0, comma);
    const auto name = field_path_from_json(path);
    if (!name) return lexer_.fail(at, "not a field mask like \"user.displayName,photo\": " + shown(path));
    message.GetReflection()->AddString(&message, plan.special(1).field, *name);
    again = comma != rest.npos;
    if (again) rest.remove_prefix(comma + 1);
  }
  return true;
}

bool JsonReader::dynamic_value(Message& message, const MessagePlan& plan) {
  const auto* reflection = message.GetReflection();
  const auto inside = [&](std::size_t number) {
    const FieldPlan& field = plan.special(number);
    return this->message(*reflection->MutableMessage(&message, field.field), *field.message);
  };
  switch (lexer_.peek()) {
    case 'n':
      reflection->SetEnumValue(&message, plan.special(1).field, 0);
      return lexer_.word("null");
    case '{':
      return inside(5);
    case '[':
      return inside(6);
    case '"': {
      std::string_view written;
      if (!lexer_.string(written, scratch_)) return false;
      reflection->SetString(&message, plan.special(3).field, std::string(written));
      return true;
    }
    case 't':
    case 'f': {
      bool flag = false;
      if (!boolean(flag)) return false;
      reflection->SetBool(&message, plan.special(4).field, flag);
      return true;
    }
    default: {
      const char next = lexer_.peek();
      if (next != '-' && (next < '0' || next > '9')) return lexer_.expected("a value");
      double number = 0;
      if (!real(number)) return false;
      reflection->SetDouble(&message, plan.special(2).field, number);
      return true;
    }
  }
}

bool JsonReader::any(Message& message, const MessagePlan& plan) {
  lexer_.peek();
  const JsonLexer::Mark start = lexer_.mark();
  std::string url;
  const char* at = nullptr;
  if (!find_any_type(url, at)) return false;
  lexer_.back(start);
  if (at == nullptr) {
    return members([&](std::string_view, const char* name) {
      return lexer_.fail(name, "\"@type\" is missing, which says what the google.protobuf.Any holds");
    });
  }
  const std::unique_ptr<Message> inner = any_prototype(message, url, at);
  if (inner == nullptr) return in("@type");
  if (!any_content(*inner, plans_.get(*inner->GetDescriptor()))) return false;
  if (!inner->IsInitialized()) {
    std::vector<std::string> missing;
    inner->FindInitializationErrors(&missing);
    return lexer_.fail(at, "required field \"" + missing.front() + "\" is missing") || in(missing.front());
  }
  const auto* reflection = message.GetReflection();
  reflection->SetString(&message, plan.special(1).field, std::move(url));
  reflection->SetString(&message, plan.special(2).field, inner->SerializePartialAsString());
  return true;
}

// The "@type" may stand anywhere among the fields, whose meaning depends on it. Leaves `at` null when there is none.
bool JsonReader::find_any_type(std::string& url, const char*& at) {
  const bool read_all = members([&](std::string_view name, const char*) {
    if (name != "@type") return lexer_.skip();
    lexer_.peek();
    const char* const value_at = lexer_.at();
    std::string_view written;
    if (!text(written)) return in("@type");
    url = written;
    at = value_at;
    return false;
  });
  return read_all || !lexer_.failed();
}

std::unique_ptr<google::protobuf::Message> JsonReader::any_prototype(const Message& any, std::string_view url, const char* at) {
  const std::size_t slash = url.rfind('/');
  if (slash == url.npos || slash + 1 == url.size()) {
    lexer_.fail(at, "expected a type like \"type.googleapis.com/package.Message\", found string " + shown(url));
    return nullptr;
  }
  const std::string name(url.substr(slash + 1));
  const auto* type = any.GetDescriptor()->file()->pool()->FindMessageTypeByName(name);
  const Message* prototype = type != nullptr ? any.GetReflection()->GetMessageFactory()->GetPrototype(type) : nullptr;
  if (prototype != nullptr) return std::unique_ptr<Message>(prototype->New());
  lexer_.fail(at, "no message type " + shown(name) + " is known here");
  return nullptr;
}

bool JsonReader::any_content(Message& inner, const MessagePlan& plan) {
  if (plan.well_known == WellKnown::kNone && !plan.empty_message) return object(inner, plan, Inside::kAny);
  bool type_seen = false;
  bool value_seen = false;
  const char* const start = lexer_.at();
  const bool read_all = members([&](std::string_view name, const char* at) {
    const bool is_type = name == "@type";
    if (!is_type && name != "value") return unknown(plan, name, at);
    if (std::exchange(is_type ? type_seen : value_seen, true)) return lexer_.fail(at, "given twice") || in(name);
    return is_type ? lexer_.skip() : message(inner, plan) || in("value");
  });
  if (!read_all) return false;
  if (value_seen || plan.empty_message) return true;
  return lexer_.fail(start, "\"value\" is missing, which holds a " + plan.descriptor->full_name() + " inside an Any");
}

}  // namespace micro::codec
