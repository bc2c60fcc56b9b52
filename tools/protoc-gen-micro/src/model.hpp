#pragma once

#include <expected>
#include <string>
#include <vector>

namespace google::protobuf {
class FileDescriptor;
}

// What the generated code is printed from: names as C++ writes them, comments as lines. Made from descriptors once, so that the
// printers decide nothing.
namespace micro::generator {

enum class Kind { kUnary, kClientStream, kServerStream, kBidiStream };

// One binding of option google.api.http.
struct HttpBinding {
  std::string method;  // "GET"
  std::string path;
  std::string body;
  std::string response_body;
};

struct Method {
  std::string name;    // in C++: "delete_"
  std::string method;  // on the wire: "delete"
  Kind kind = Kind::kUnary;
  std::string request;  // "::greeter::HelloRequest"
  std::string reply;
  bool idempotent = false;
  std::vector<HttpBinding> http;
  std::vector<std::string> comment;
};

struct Service {
  std::string name;           // in C++: "Greeter"
  std::string full_name;      // on the wire: "greeter.Greeter"
  std::string registry_name;  // "greeter"
  std::vector<std::string> comment;
  std::vector<Method> methods;
};

struct File {
  std::string proto;       // "x/y.proto"
  std::string stem;        // "x/y"
  std::string name_space;  // "a::b"; empty without a package
  std::vector<Service> services;
};

// The error says what in the file cannot be generated and what to do about it, without the name of the file.
std::expected<File, std::string> make_model(const google::protobuf::FileDescriptor& file);

}  // namespace micro::generator
