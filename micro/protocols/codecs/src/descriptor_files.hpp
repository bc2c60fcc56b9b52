#pragma once

#include <span>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>

#include <micro/error/error.hpp>

namespace micro::codec {

// Builds serialised FileDescriptorProtos, in any order, into the pool. Gives them back in the order they came, equal ones once.
// Errors: as DynamicTypes::create(); the pool is then not usable.
Result<std::vector<const google::protobuf::FileDescriptor*>> build_files(std::span<const std::string> files,
                                                                         google::protobuf::DescriptorPool& pool);

}  // namespace micro::codec
