#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <micro/codec/message.hpp>
#include <micro/error/error.hpp>

namespace micro::codec {

// A method of a service known only by its descriptor. Types are owned by the DynamicTypes it came from.
struct DynamicMethod {
  std::string name;  // "Hello"
  const MessageType* input = nullptr;
  const MessageType* output = nullptr;
  bool client_streaming = false;
  bool server_streaming = false;
  bool idempotent = false;  // option idempotency_level is NO_SIDE_EFFECTS or IDEMPOTENT
};

struct DynamicService {
  std::string name;  // full name: "greeter.Greeter"
  std::vector<DynamicMethod> methods;

  // The method called `name`, or nullptr.
  const DynamicMethod* find(std::string_view method) const noexcept;
};

// Message types made at run time from descriptors, for programs without generated code: the gateway and the command line turn
// JSON into protobuf with the descriptors a node publishes (MessageType::file_descriptors) or serves by reflection.
//
// Types are of family kProtobuf and work with every codec. Nothing is taken from the program's own generated code: the files
// must bring all their imports, google/protobuf/*.proto included.
// Lifetime: types, and messages made from them, must not outlive this object. Moving it does not invalidate them.
// Thread safety: all const members may be called from any thread.
class DynamicTypes {
 public:
  // Builds the types of serialised google.protobuf.FileDescriptorProtos, in any order; equal files may occur more than once.
  // Errors: INVALID_ARGUMENT naming the file and what is wrong: not a descriptor, an import missing, an import cycle, a name not
  // defined or defined twice, two different files of one name.
  static Result<DynamicTypes> create(std::span<const std::string> files);

  DynamicTypes(DynamicTypes&&) noexcept;
  DynamicTypes& operator=(DynamicTypes&&) noexcept;
  ~DynamicTypes();

  // The type with this full name ("greeter.HelloRequest"; a leading dot is allowed).
  // Errors: NOT_FOUND naming the type.
  Result<const MessageType*> find(std::string_view name) const;

  // All services of all files, in the order the files were given.
  const std::vector<DynamicService>& services() const noexcept;

  // The method "Hello" of the service "greeter.Greeter".
  // Errors: NOT_FOUND naming what is missing and what there is.
  Result<const DynamicMethod*> find_method(std::string_view service, std::string_view method) const;

 private:
  struct Impl;
  explicit DynamicTypes(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro::codec
