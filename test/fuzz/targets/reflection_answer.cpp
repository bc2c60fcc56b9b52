// Answers of a reflection service, as a gateway reads them from any node: bytes to a response message, and what is in it.
#include <micro/builtin/reflection_messages.hpp>
#include <micro/codecs/proto_codec.hpp>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(reflection_answer) {
  using namespace micro;
  for (const auto version : {rpc::reflection::Version::kV1, rpc::reflection::Version::kV1Alpha}) {
    const codec::MessageType& type = *rpc::reflection::protocol(version).response;
    const codec::MessageRef message{type.acquire(), &type};
    if (codec::ProtoCodec().unmarshal(input, message)) {
      const auto services = rpc::reflection::services_in(message);
      const auto files = rpc::reflection::files_in(message);
      fuzz::require(!services || !files, "an answer to two questions");
    }
    type.release(message.data);
  }
}
