#include "family.hpp"

#include <string>
#include <utility>
#include <vector>

namespace micro::codec {

Result<void> unknown_family(const Codec& codec, MessageRef message) {
  return fail(unimplemented("codec \"" + std::string(codec.name()) + "\" knows protobuf messages and bytes; " +
                            std::string(message.type->name()) + " is neither, use the codec made for it"));
}

Result<void> missing_fields(std::string_view before, std::string_view after, const google::protobuf::Message& message,
                            Code code) {
  std::vector<std::string> missing;
  message.FindInitializationErrors(&missing);
  std::string text(before);
  text.append(message.GetDescriptor()->full_name()).append(after).append(": required fields are missing: ");
  for (std::size_t i = 0; i < missing.size(); ++i) text.append(i == 0 ? "" : ", ").append(missing[i]);
  Error error(code, std::move(text));
  error.with("field", missing.front());
  return fail(std::move(error));
}

}  // namespace micro::codec
