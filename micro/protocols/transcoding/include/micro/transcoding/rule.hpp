#pragma once

#include <string_view>

#include <micro/error/error.hpp>

namespace google::protobuf {
class Descriptor;
}

namespace micro::transcoding {

// One binding of google.api.http: how a method is called with plain HTTP.
struct Rule {
  std::string_view method;         // "GET", as in the request line; "*" for every method
  std::string_view path;           // a Template
  std::string_view body;           // "*", the name of a field, or empty for no body
  std::string_view response_body;  // a field of the reply; empty for the whole reply
};

// Whether the rule fits messages of these types; for generators, who have no MessageType yet. Router::add() asks the same.
// Errors: INVALID_ARGUMENT naming what is wrong: a malformed template or method, a field that does not exist, a variable whose
// field is repeated, a map or a message, two variables for one field, a body on GET.
Result<void> check(const Rule& rule, const google::protobuf::Descriptor& request, const google::protobuf::Descriptor& reply);

}  // namespace micro::transcoding
