#pragma once

#include <expected>
#include <string>
#include <vector>

#include "model.hpp"

namespace google::protobuf {
class MethodDescriptor;
}

namespace micro::generator {

// The bindings of a method's option google.api.http, the additional ones behind the first; none without the option. They are
// checked as a server would, so that a mistake ends the build and not the start of a program.
std::expected<std::vector<HttpBinding>, std::string> http_bindings(const google::protobuf::MethodDescriptor& method);

}  // namespace micro::generator
