// Descriptors of a foreign node: types are built or refused, and what was built can be used. The input is a FileDescriptorSet.
#include <string>
#include <vector>

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/stubs/logging.h>

#include <micro/bytes/buffer.hpp>
#include <micro/codecs/dynamic_types.hpp>
#include <micro/codecs/json_codec.hpp>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(dynamic_types) {
  using namespace micro;
  // Protobuf tells every text that is no UTF-8: hundreds of megabytes.
  static auto* const kNoLog = google::protobuf::SetLogHandler(nullptr);
  (void)kNoLog;
  google::protobuf::FileDescriptorSet set;
  std::vector<std::string> files;
  if (set.ParseFromArray(input.data(), static_cast<int>(input.size()))) {
    for (const auto& file : set.file()) files.push_back(file.SerializeAsString());
  } else {
    files.emplace_back(input);
  }
  const auto types = codec::DynamicTypes::create(files);
  if (!types) {
    fuzz::require(types.error().code() == Code::kInvalidArgument, "an undocumented code: " + types.error().to_string());
    return;
  }
  for (const codec::DynamicService& service : types->services()) {
    for (const codec::DynamicMethod& method : service.methods) {
      fuzz::require(types->find_method(service.name, method.name).has_value(), "a method that was listed is not found");
      const codec::MessageRef message{method.input->acquire(), method.input};
      Buffer json;
      if (codec::JsonCodec({.emit_zero_values = true}).marshal(message, json)) {
        const auto read = codec::JsonCodec().unmarshal(json.view(), message);
        fuzz::require(read.has_value(), "an empty message cannot be read back: " + std::string(json.view()));
      }
      (void)method.input->schema();
      method.input->release(message.data);
    }
  }
}
