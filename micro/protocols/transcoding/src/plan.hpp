#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <micro/transcoding/rule.hpp>
#include <micro/transcoding/template.hpp>

#include "field_path.hpp"

namespace micro::transcoding {

// A rule and what its names mean.
struct Plan {
  Template path;
  std::vector<FieldPath> variables;  // as in `path`
  bool whole_body = false;
  const FieldDescriptor* body = nullptr;           // null for none, or all
  const FieldDescriptor* response_body = nullptr;  // null for the whole reply

  static Result<Plan> make(const Rule& rule, const Descriptor& request, const Descriptor& reply);
};

}  // namespace micro::transcoding
