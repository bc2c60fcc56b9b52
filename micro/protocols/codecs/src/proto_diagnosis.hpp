#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <google/protobuf/descriptor.h>

namespace micro::codec {

struct ProtoFault {
  std::size_t offset = 0;  // bytes from the start of the message
  std::string field;       // "user.name"; empty when no known field is to blame
  std::string text;
};

// What is wrong with bytes that protobuf refused without saying why. nullopt when this simpler reading finds nothing.
std::optional<ProtoFault> diagnose(std::string_view bytes, const google::protobuf::Descriptor& type);

}  // namespace micro::codec
