#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <google/protobuf/text_format.h>

#include <micro/bytes/buffer.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/protobuf.hpp>

namespace micro::codec {

// The message as JSON, or "error: ..." with the error's message.
inline std::string to_json(const google::protobuf::Message& message, const JsonOptions& options = {}) {
  Buffer out;
  const auto done = JsonCodec(options).marshal(ref(message), out);
  return done ? std::string(out.view()) : "error: " + done.error().message();
}

// The message in protobuf's text format on one line.
inline std::string to_text(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetExpandAny(true);
  std::string text;
  printer.PrintToString(message, &text);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

// The message read, in protobuf's text format, or "error: ..." with the error's message.
inline std::string from_json(google::protobuf::Message& message, std::string_view json, const JsonOptions& options = {}) {
  const auto done = JsonCodec(options).unmarshal(json, ref(message));
  return done ? to_text(message) : "error: " + done.error().message();
}

template <class M>
std::string from_json(std::string_view json, const JsonOptions& options = {}) {
  M message;
  return from_json(message, json, options);
}

// A message written in protobuf's text format.
template <class M>
M parse_text(const std::string& text) {
  M message;
  google::protobuf::TextFormat::Parser parser;
  parser.AllowPartialMessage(true);
  EXPECT_TRUE(parser.ParseFromString(text, &message)) << text;
  return message;
}

}  // namespace micro::codec
