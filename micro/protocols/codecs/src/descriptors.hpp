#pragma once

#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>

#include <micro/codec/message.hpp>

namespace micro::codec {

// The message in the shape go-micro publishes: fields under their .proto names with Go's names for types, two levels deep.
Schema schema_of(const google::protobuf::Descriptor& message);

// The file of `message` and everything it imports, serialised, imports first.
std::vector<std::string> files_of(const google::protobuf::Descriptor& message);

}  // namespace micro::codec
