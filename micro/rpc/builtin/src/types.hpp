#pragma once

#include <string_view>

#include <micro/codec/message.hpp>
#include <micro/codecs/dynamic_types.hpp>

namespace micro::rpc::builtin {

// The google.protobuf.FileDescriptorSet of the files in proto/, made by the build.
std::string_view descriptor_set();

// The types of those files, alive for the whole program. They belong to no global pool.
const codec::DynamicTypes& types();

// One of them, by its full name, which must exist.
const codec::MessageType& type(std::string_view name);

}  // namespace micro::rpc::builtin
