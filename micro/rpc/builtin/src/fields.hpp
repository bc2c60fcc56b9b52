#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include <micro/codec/message.hpp>
#include <micro/codecs/protobuf.hpp>

// Access to messages that have no generated class, by the names of their fields. The names are those of our own .proto files.
namespace micro::rpc::builtin {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

inline const FieldDescriptor* field(const Message& message, const char* name) {
  return message.GetDescriptor()->FindFieldByName(name);
}

inline std::string get_string(const Message& message, const char* name) {
  return message.GetReflection()->GetString(message, field(message, name));
}
inline void set_string(Message& message, const char* name, std::string_view value) {
  message.GetReflection()->SetString(&message, field(message, name), std::string(value));
}
inline void set_int32(Message& message, const char* name, int value) {
  message.GetReflection()->SetInt32(&message, field(message, name), value);
}
inline const Message& get_message(const Message& message, const char* name) {
  return message.GetReflection()->GetMessage(message, field(message, name));
}
inline Message& mutable_message(Message& message, const char* name) {
  return *message.GetReflection()->MutableMessage(&message, field(message, name));
}
inline Message& add_message(Message& message, const char* name) {
  return *message.GetReflection()->AddMessage(&message, field(message, name));
}

}  // namespace micro::rpc::builtin
