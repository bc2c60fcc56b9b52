#include "types.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.pb.h>

namespace micro::rpc::builtin {

const codec::DynamicTypes& types() {
  // Never destroyed: messages of these types may be in use until the very end of the program.
  static const codec::DynamicTypes& made = [] -> const codec::DynamicTypes& {
    google::protobuf::FileDescriptorSet set;
    const std::string_view bytes = descriptor_set();
    if (!set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      throw std::logic_error("the embedded descriptors of health and reflection are broken");
    }
    std::vector<std::string> files;
    for (const auto& file : set.file()) files.push_back(file.SerializeAsString());
    auto built = codec::DynamicTypes::create(files);
    if (!built) throw std::logic_error(built.error().to_string());
    return *new codec::DynamicTypes(std::move(*built));
  }();
  return made;
}

const codec::MessageType& type(std::string_view name) {
  const auto found = types().find(name);
  if (!found) throw std::logic_error(found.error().to_string());
  return **found;
}

}  // namespace micro::rpc::builtin
