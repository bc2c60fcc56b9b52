// The binary codec: as protobuf decides, with an error that says where. The first byte chooses the message.
#include <micro/bytes/buffer.hpp>
#include <micro/codecs/proto_codec.hpp>
#include <micro/codecs/protobuf.hpp>

#include "fuzz.hpp"
#include "messages.hpp"

MICRO_FUZZ_TARGET(proto_codec) {
  using namespace micro;
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  const auto ours = fuzz::make_message(choice);
  const auto theirs = fuzz::make_message(choice);
  const auto done = codec::ProtoCodec().unmarshal(input, codec::ref(*ours));
  fuzz::require(done.has_value() == theirs->ParseFromArray(input.data(), static_cast<int>(input.size())),
                "the codec and protobuf do not agree on what is valid");
  if (!done) {
    fuzz::require(done.error().code() == Code::kInvalidArgument && !done.error().message().empty(), "an undocumented error");
    return;
  }
  Buffer out;
  fuzz::require(codec::ProtoCodec().marshal(codec::ref(*ours), out).has_value(), "a message that was read cannot be written");
  fuzz::require_equal(fuzz::serialized(*ours), fuzz::serialized(*theirs), "the codec reads another message than protobuf");
}
