#pragma once

#include <optional>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>

#include <micro/call/endpoint.hpp>

namespace micro::rpc::builtin {

// Finds .proto files by what is in them: first among the files the endpoints' types need, then among the generated code of the
// whole program. The latter also has the file of a service whose messages come from other files.
//
// Thread safety: all const members may be called from any thread.
class FileIndex {
 public:
  explicit FileIndex(const std::vector<Endpoint>& endpoints);

  // Names of the endpoints' services, sorted.
  const std::vector<std::string>& services() const noexcept { return services_; }

  // Null when there is none.
  const google::protobuf::FileDescriptor* by_name(const std::string& name) const;
  const google::protobuf::FileDescriptor* by_symbol(const std::string& symbol) const;
  const google::protobuf::FileDescriptor* by_extension(const std::string& message, int number) const;
  // Sorted; nullopt when there is no such message.
  std::optional<std::vector<int>> extension_numbers(const std::string& message) const;

 private:
  void add_files(const codec::MessageType& type);

  google::protobuf::DescriptorPool own_;
  const google::protobuf::DescriptorPool* const pools_[2] = {&own_, google::protobuf::DescriptorPool::generated_pool()};
  std::vector<std::string> services_;
};

// The serialised file, followed by everything it imports.
std::vector<std::string> with_imports(const google::protobuf::FileDescriptor& file);

}  // namespace micro::rpc::builtin
