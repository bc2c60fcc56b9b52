#pragma once

#include <string_view>

#include <google/protobuf/message.h>

#include <micro/codec/codec.hpp>
#include <micro/error/error.hpp>

namespace micro::codec {

// UNIMPLEMENTED: the codec does not know how the message is represented.
Result<void> unknown_family(const Codec& codec, MessageRef message);

// "<before><type><after>: required fields are missing: a, b.c", with the first in the metadata.
Result<void> missing_fields(std::string_view before, std::string_view after, const google::protobuf::Message& message, Code code);

}  // namespace micro::codec
