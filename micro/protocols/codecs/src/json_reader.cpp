#include "json_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "json_members.hpp"
#include "json_number.hpp"
#include "json_text.hpp"
#include "suggest.hpp"

namespace micro::codec {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

// Which fields of a message were given.
class Seen {
 public:
  explicit Seen(std::size_t fields) {
    if (fields > 64 * few_.size()) many_.resize((fields + 63) / 64);
  }
  // Whether it was set before.
  bool set(std::size_t field) {
    std::uint64_t& word = many_.empty() ? few_[field / 64] : many_[field / 64];
    const std::uint64_t bit = std::uint64_t{1} << (field % 64);
    return (std::exchange(word, word | bit) & bit) != 0;
  }

 private:
  std::array<std::uint64_t, 2> few_{};
  std::vector<std::uint64_t> many_;
};

}  // namespace

Result<void> JsonReader::read(Message& root, const MessagePlan& plan) {
  Result<void> done = read_partial(root, plan);
  if (!done || root.IsInitialized()) return done;
  std::vector<std::string> missing;
  root.FindInitializationErrors(&missing);
  Error error(Code::kInvalidArgument, "INVALID_JSON",
              "JSON for " + plan.descriptor->full_name() + ": required field \"" + missing.front() + "\" is missing");
  error.with("field", missing.front());
  return fail(std::move(error));
}

Result<void> JsonReader::read_partial(Message& root, const MessagePlan& plan) {
  return report(message(root, plan) && lexer_.end(), plan);
}

Result<void> JsonReader::read_field(Message& root, const MessagePlan& plan, const FieldPlan& field) {
  lexer_.peek();
  const char* const at = lexer_.at();
  return report((member(root, field, at) || in(shown_name(field))) && lexer_.end(), plan);
}

Result<void> JsonReader::report(bool done, const MessagePlan& plan) {
  if (done) return {};
  std::string text = "JSON for " + plan.descriptor->full_name() + ": " + lexer_.position() + ": ";
  if (!path_.empty()) text.append("field \"").append(path_).append("\": ");
  Error error(Code::kInvalidArgument, "INVALID_JSON", text + lexer_.failure());
  if (!path_.empty()) error.with("field", std::move(path_));
  return fail(std::move(error));
}

bool JsonReader::in(std::string_view part) {
  std::string path(part);
  if (!path_.empty() && path_.front() != '[') path.push_back('.');
  path_.insert(0, path);
  return false;
}

bool JsonReader::message(Message& message, const MessagePlan& plan) {
  switch (plan.well_known) {
    case WellKnown::kNone:
      return object(message, plan);
    case WellKnown::kAny:
      return any(message, plan);
    case WellKnown::kTimestamp:
      return timestamp(message, plan);
    case WellKnown::kDuration:
      return duration(message, plan);
    case WellKnown::kFieldMask:
      return field_mask(message, plan);
    case WellKnown::kStruct:
      return map(message, plan.special(1));
    case WellKnown::kValue:
      return dynamic_value(message, plan);
    case WellKnown::kListValue:
      return list(message, plan.special(1));
    case WellKnown::kWrapper: {
      Outcome outcome{};
      return value(message, plan.special(1), outcome);
    }
  }
  return false;
}

bool JsonReader::object(Message& message, const MessagePlan& plan, Inside inside) {
  Seen seen(plan.fields.size());
  std::size_t next = 0;
  bool type_seen = false;
  return members([&](std::string_view name, const char* at) {
    // Most senders keep the order of the .proto.
    const bool guessed = next < plan.fields.size() && plan.fields[next].json_name() == name;
    const FieldPlan* field = guessed ? &plan.fields[next] : plan.find(name);
    if (inside == Inside::kAny && name == "@type") {
      if (std::exchange(type_seen, true)) return lexer_.fail(at, "given twice") || in("@type");
      return lexer_.skip();
    }
    if (field == nullptr) return unknown(plan, name, at);
    const auto index = static_cast<std::size_t>(field - plan.fields.data());
    next = index + 1;
    if (seen.set(index)) return lexer_.fail(at, "given twice") || in(shown_name(*field));
    return member(message, *field, at) || in(shown_name(*field));
  });
}

bool JsonReader::member(Message& message, const FieldPlan& field, const char* at) {
  if (lexer_.peek() == 'n' && (field.repeated || field.map || !field.takes_null())) return lexer_.word("null");
  if (field.oneof != nullptr) {
    const auto* reflection = message.GetReflection();
    if (const FieldDescriptor* other = reflection->GetOneofFieldDescriptor(message, field.oneof)) {
      return lexer_.fail(at, "only one field of oneof \"" + field.oneof->name() + "\" may be given, and \"" + other->json_name() +
                                 "\" is already");
    }
  }
  if (field.map) return map(message, field);
  if (field.repeated) return list(message, field);
  Outcome outcome{};
  return value(message, field, outcome);
}

bool JsonReader::list(Message& message, const FieldPlan& field) {
  if (lexer_.peek() != '[') return lexer_.expected("an array");
  if (!lexer_.enter()) return false;
  lexer_.take('[');
  std::size_t index = 0;
  for (bool again = !lexer_.take(']'); again; ++index) {
    Outcome outcome{};
    if (!value(message, field, outcome)) return in("[" + std::to_string(index) + "]");
    if (!lexer_.more(']', again)) return false;
  }
  lexer_.leave();
  return true;
}

bool JsonReader::map(Message& message, const FieldPlan& field) {
  const FieldPlan& key = field.message->fields[0];
  const FieldPlan& mapped = field.message->fields[1];
  const auto* reflection = message.GetReflection();
  std::vector<std::pair<std::string, const char*>> keys;
  const auto read_entry = [&](std::string_view name, const char* at) {
    const std::string& text = keys.emplace_back(name, at).first;
    Message* entry = reflection->AddMessage(&message, field.field);
    Outcome outcome{};
    if (!map_key(*entry, key, text, at) || !value(*entry, mapped, outcome)) return in("[" + shown(text) + "]");
    if (outcome == Outcome::kDropped) reflection->RemoveLast(&message, field.field);
    return true;
  };
  if (!members(read_entry)) return false;
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys, {}, [](const auto& k) -> const std::string& { return k.first; });
  if (twice == keys.end()) return true;
  return lexer_.fail(std::next(twice)->second, "given twice") || in("[" + shown(twice->first) + "]");
}

bool JsonReader::map_key(Message& entry, const FieldPlan& key, std::string_view text, const char* at) {
  const auto* reflection = entry.GetReflection();
  const auto whole = [&]<class Integer>(Integer& out) {
    const bool plain =
        number_prefix(text) == text.size() && text.find_first_of(".eE") == text.npos && !text.empty() && text != "-0";
    if (plain && parse_integer(text, out) == NumberStatus::kOk) return true;
    return lexer_.fail(at, "expected a map key that is an " + range_of<Integer>() + ", found string " + shown(text));
  };
  switch (key.type) {
    case FieldDescriptor::CPPTYPE_STRING:
      reflection->SetString(&entry, key.field, std::string(text));
      return true;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") {
        return lexer_.fail(at, "expected a map key \"true\" or \"false\", found string " + shown(text));
      }
      reflection->SetBool(&entry, key.field, text == "true");
      return true;
    case FieldDescriptor::CPPTYPE_INT32: {
      std::int32_t number = 0;
      if (!whole(number)) return false;
      reflection->SetInt32(&entry, key.field, number);
      return true;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      std::int64_t number = 0;
      if (!whole(number)) return false;
      reflection->SetInt64(&entry, key.field, number);
      return true;
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      std::uint32_t number = 0;
      if (!whole(number)) return false;
      reflection->SetUInt32(&entry, key.field, number);
      return true;
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      std::uint64_t number = 0;
      if (!whole(number)) return false;
      reflection->SetUInt64(&entry, key.field, number);
      return true;
    }
    default:
      return lexer_.fail(at, "map keys of this type have no JSON form");
  }
}

bool JsonReader::unknown(const MessagePlan& plan, std::string_view name, const char* at) {
  if (options_.ignore_unknown_fields) return lexer_.skip();
  std::string text;
  if (name.starts_with('[') && name.ends_with(']')) {
    text = "extensions have no JSON form here";
  } else {
    std::vector<std::string_view> known;
    for (const FieldPlan& field : plan.fields) known.push_back(shown_name(field));
    text = plan.descriptor->full_name() + " has no such field" + suggest(name, known);
  }
  // The name as an error can carry it: short, and without anything a terminal or a log would trip over.
  const std::string safe = shown(name);
  return lexer_.fail(at, std::move(text)) || in(std::string_view(safe).substr(1, safe.size() - 2));
}

bool JsonReader::value(Message& message, const FieldPlan& field, Outcome& outcome) {
  const auto& r = *message.GetReflection();
  const FieldDescriptor* f = field.field;
  // Adds to a repeated field, sets any other.
  const auto store = [&](auto add, auto set, auto&& v) {
    if (field.repeated) {
      (r.*add)(&message, f, std::forward<decltype(v)>(v));
    } else {
      (r.*set)(&message, f, std::forward<decltype(v)>(v));
    }
    return true;
  };
  using R = google::protobuf::Reflection;
  switch (field.type) {
    case FieldDescriptor::CPPTYPE_INT32: {
      std::int32_t v = 0;
      return integer(v) && store(&R::AddInt32, &R::SetInt32, v);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      std::int64_t v = 0;
      return integer(v) && store(&R::AddInt64, &R::SetInt64, v);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      std::uint32_t v = 0;
      return integer(v) && store(&R::AddUInt32, &R::SetUInt32, v);
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      std::uint64_t v = 0;
      return integer(v) && store(&R::AddUInt64, &R::SetUInt64, v);
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double v = 0;
      return real(v) && store(&R::AddDouble, &R::SetDouble, v);
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      float v = 0;
      return real(v) && store(&R::AddFloat, &R::SetFloat, v);
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      bool v = false;
      return boolean(v) && store(&R::AddBool, &R::SetBool, v);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      if (field.bytes) {
        std::string v;
        return bytes(v) && store(&R::AddString, &R::SetString, std::move(v));
      }
      std::string_view v;
      return text(v) && store(&R::AddString, &R::SetString, std::string(v));
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      int v = 0;
      if (!enumeration(field, v, outcome)) return false;
      return outcome == Outcome::kDropped || store(&R::AddEnumValue, &R::SetEnumValue, v);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      Message* inner = field.repeated ? r.AddMessage(&message, f) : r.MutableMessage(&message, f);
      return this->message(*inner, *field.message);
    }
  }
  return false;
}

bool JsonReader::boolean(bool& out) {
  const char next = lexer_.peek();
  if (next != 't' && next != 'f') return lexer_.expected("true or false");
  out = next == 't';
  return lexer_.word(out ? "true" : "false");
}

bool JsonReader::text(std::string_view& out, std::string_view what) {
  return lexer_.peek() == '"' ? lexer_.string(out, scratch_) : lexer_.expected(what);
}

bool JsonReader::bytes(std::string& out) {
  lexer_.peek();
  const char* const at = lexer_.at();
  std::string_view encoded;
  if (!text(encoded, "a string of base64")) return false;
  auto decoded = base64_decode(encoded);
  if (!decoded) return lexer_.fail(at, "not base64: " + shown(encoded));
  out = *std::move(decoded);
  return true;
}

bool JsonReader::enumeration(const FieldPlan& field, int& out, Outcome& outcome) {
  const google::protobuf::EnumDescriptor& type = *field.field->enum_type();
  const char next = lexer_.peek();
  const char* const at = lexer_.at();
  if (next == 'n' && field.null_value) {
    out = 0;
    return lexer_.word("null");
  }
  if (next == '"') {
    std::string_view name;
    if (!lexer_.string(name, scratch_)) return false;
    if (const EnumValueDescriptor* known = type.FindValueByName(std::string(name))) {
      out = known->number();
      return true;
    }
    if (options_.ignore_unknown_fields) {
      outcome = Outcome::kDropped;
      return true;
    }
    std::vector<std::string_view> known;
    for (int i = 0; i < type.value_count(); ++i) known.push_back(type.value(i)->name());
    return lexer_.fail(at, "enum " + type.full_name() + " has no value " + shown(name) + suggest(name, known));
  }
  if (next != '-' && (next < '0' || next > '9')) return lexer_.expected("a name or number of enum " + type.full_name());
  std::int32_t number = 0;
  if (!integer(number)) return false;
  out = number;
  // Enums of proto2 hold only the values they know.
  if (type.file()->syntax() != FileDescriptor::SYNTAX_PROTO2 || type.FindValueByNumber(number) != nullptr) return true;
  if (!options_.ignore_unknown_fields) {
    return lexer_.fail(at, "enum " + type.full_name() + " has no value with number " + std::to_string(number));
  }
  outcome = Outcome::kDropped;
  return true;
}

bool JsonReader::number(std::string_view& out, std::string_view what) {
  const char next = lexer_.peek();
  if (next == '-' || (next >= '0' && next <= '9')) return lexer_.number(out);
  return text(out, what);
}

template <class Integer>
bool JsonReader::integer(Integer& out) {
  const bool quoted = lexer_.peek() == '"';
  const char* const at = lexer_.at();
  std::string_view digits;
  if (!number(digits, "an integer")) return false;
  if (quoted && (digits.empty() || number_prefix(digits) != digits.size())) {
    return lexer_.fail(at, "expected an integer, found string " + shown(digits));
  }
  switch (parse_integer(digits, out)) {
    case NumberStatus::kOk:
      return true;
    case NumberStatus::kOutOfRange:
      return lexer_.fail(at, "number " + shown_number(digits) + " does not fit into " + range_of<Integer>());
    default:
      return lexer_.fail(at, "expected an integer, found number " + shown_number(digits));
  }
}

template <class Float>
bool JsonReader::real(Float& out) {
  const bool quoted = lexer_.peek() == '"';
  const char* const at = lexer_.at();
  std::string_view digits;
  if (!number(digits, "a number")) return false;
  if (quoted && (digits.empty() || number_prefix(digits) != digits.size())) {
    using Limits = std::numeric_limits<Float>;
    if (digits == "NaN") {
      out = Limits::quiet_NaN();
    } else if (digits == "Infinity") {
      out = Limits::infinity();
    } else if (digits == "-Infinity") {
      out = -Limits::infinity();
    } else {
      return lexer_.fail(at, "expected a number, found string " + shown(digits));
    }
    return true;
  }
  if (parse_float(digits, out) == NumberStatus::kOk) return true;
  return lexer_.fail(at, "number " + shown_number(digits) + " does not fit into a " + (sizeof(Float) == 4 ? "float" : "double"));
}

template bool JsonReader::real(double&);

}  // namespace micro::codec
