#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include <micro/bytes/buffer.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/error/error.hpp>

#include "json_plan.hpp"
#include "json_time.hpp"

namespace micro::codec {

// Writes one message. As in JsonReader the functions return false on failure, and the path grows on the way up.
class JsonWriter {
 public:
  JsonWriter(const JsonOptions& options, PlanCache& plans, Buffer& out) : options_(options), plans_(plans), out_(out) {}

  // Appends to the buffer; on failure it holds a part of the message.
  Result<void> write(const google::protobuf::Message& message, const MessagePlan& plan);
  // The value of one field; null for a message that is not set.
  Result<void> write_field(const google::protobuf::Message& message, const MessagePlan& plan, const FieldPlan& field);

 private:
  using Message = google::protobuf::Message;

  // Where the value of a field comes from: the field itself or one of its elements.
  static constexpr int kSingle = -1;

  Result<void> report(bool done, const MessagePlan& plan);
  bool message(const Message& message, const MessagePlan& plan);
  bool object(const Message& message, const MessagePlan& plan);
  bool members(const Message& message, const MessagePlan& plan, bool& first);
  bool member(const Message& message, const FieldPlan& field, bool& first);
  bool list(const Message& message, const FieldPlan& field, int size);
  bool map(const Message& message, const FieldPlan& field, int size);
  bool value(const Message& message, const FieldPlan& field, int index);
  void map_key(const Message& entry, const FieldPlan& key, std::string& out) const;
  bool text(std::string_view text);
  void bytes(std::string_view bytes);
  void enumeration(const FieldPlan& field, int number);
  template <class Integer>
  void integer(Integer number);
  template <class Integer>
  void long_integer(Integer number);
  template <class Float>
  void real(Float number);

  bool any(const Message& message, const MessagePlan& plan);
  bool any_content(const Message& inner, std::string_view url);
  bool time(const Message& message, const MessagePlan& plan);
  bool field_mask(const Message& message, const MessagePlan& plan);
  bool dynamic_value(const Message& message, const MessagePlan& plan);

  // Brackets, commas and line breaks.
  bool open(char bracket);
  void separate(bool& first);
  void close(char bracket, bool empty);
  void key(std::string_view key);
  void line();

  bool fail(std::string text);
  bool in(std::string_view part);
  std::string_view shown_name(const FieldPlan& field) const {
    return options_.proto_field_names ? field.field->name() : field.json_name();
  }

  const JsonOptions& options_;
  PlanCache& plans_;
  Buffer& out_;
  int depth_ = 0;
  std::string scratch_;
  std::string failure_;
  std::string path_;
};

}  // namespace micro::codec
