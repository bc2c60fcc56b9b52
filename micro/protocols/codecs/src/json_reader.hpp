#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include <micro/codecs/json_codec.hpp>
#include <micro/error/error.hpp>

#include "json_lexer.hpp"
#include "json_plan.hpp"

namespace micro::codec {

// Reads one message. The functions return false on failure, which the lexer keeps; on the way up each level puts its part of the
// path ("user", "tags[2]") in front, so that nothing is tracked while all goes well.
class JsonReader {
 public:
  JsonReader(const JsonOptions& options, PlanCache& plans, std::string_view text)
      : options_(options), plans_(plans), lexer_(text, options.max_depth) {}

  // Adds to `message`, which is empty.
  Result<void> read(google::protobuf::Message& message, const MessagePlan& plan);
  // The same without a look at required fields, which may come from elsewhere.
  Result<void> read_partial(google::protobuf::Message& message, const MessagePlan& plan);
  // The value of one field of `message`, unset so far.
  Result<void> read_field(google::protobuf::Message& message, const MessagePlan& plan, const FieldPlan& field);

 private:
  using Message = google::protobuf::Message;

  // What became of an element: kDropped is an enum name nobody knows, where those are ignored.
  enum class Outcome : bool { kStored, kDropped };

  Result<void> report(bool done, const MessagePlan& plan);
  bool message(Message& message, const MessagePlan& plan);
  enum class Inside : bool { kMessage, kAny };  // of an Any, which has its "@type" among the fields
  bool object(Message& message, const MessagePlan& plan, Inside inside = Inside::kMessage);
  bool member(Message& message, const FieldPlan& field, const char* at);
  bool field(Message& message, const FieldPlan& field);
  bool list(Message& message, const FieldPlan& field);
  bool map(Message& message, const FieldPlan& field);
  bool map_key(Message& entry, const FieldPlan& key, std::string_view text, const char* at);
  // One value, set or, for a repeated field, added.
  bool value(Message& message, const FieldPlan& field, Outcome& outcome);
  bool unknown(const MessagePlan& plan, std::string_view name, const char* at);

  bool boolean(bool& out);
  bool text(std::string_view& out, std::string_view what = "a string");
  bool bytes(std::string& out);
  bool enumeration(const FieldPlan& field, int& out, Outcome& outcome);
  template <class Integer>
  bool integer(Integer& out);
  template <class Float>
  bool real(Float& out);
  // The text of a number, also of one in quotes.
  bool number(std::string_view& out, std::string_view what);

  bool any(Message& message, const MessagePlan& plan);
  bool find_any_type(std::string& url, const char*& at);
  std::unique_ptr<Message> any_prototype(const Message& any, std::string_view url, const char* at);
  bool any_content(Message& inner, const MessagePlan& plan);
  bool timestamp(Message& message, const MessagePlan& plan);
  bool duration(Message& message, const MessagePlan& plan);
  bool field_mask(Message& message, const MessagePlan& plan);
  bool dynamic_value(Message& message, const MessagePlan& plan);

  // Calls read_member(name, position of the name) for each member of the object that starts here.
  template <class ReadMember>
  bool members(ReadMember read_member);

  std::string_view shown_name(const FieldPlan& field) const {
    return options_.proto_field_names ? field.field->name() : field.json_name();
  }
  // Puts `part` in front of the path; returns false.
  bool in(std::string_view part);

  const JsonOptions& options_;
  PlanCache& plans_;
  JsonLexer lexer_;
  std::string scratch_;
  std::string path_;
};

}  // namespace micro::codec
