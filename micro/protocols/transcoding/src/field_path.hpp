#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <micro/error/error.hpp>

namespace micro::transcoding {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The way from a message to a field inside: all but the last are singular messages.
using FieldPath = std::vector<const FieldDescriptor*>;

// "book.author.name". The error says which part is wrong and why.
Result<FieldPath> find_path(const Descriptor& message, std::string_view path, std::size_t max_depth);

// Why a value cannot be given to the field as text; empty when it can.
std::string no_text_form(const FieldDescriptor& field);

// Whether one of them is, or is inside of, the other.
bool overlap(const FieldPath& a, const FieldPath& b);

// The message that has the last field of `path`, made on the way from `root`.
Message& parent_of(Message& root, const FieldPath& path);

}  // namespace micro::transcoding
