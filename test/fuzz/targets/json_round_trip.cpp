// Messages to JSON and back, by us and by protobuf, under every option. The first byte chooses the message, the second the
// options; the rest is the message in binary.
#include <google/protobuf/util/json_util.h>

#include <micro/bytes/buffer.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/protobuf.hpp>

#include "fuzz.hpp"
#include "messages.hpp"

MICRO_FUZZ_TARGET(json_round_trip) {
  using namespace micro;
  fuzz::Input in(input);
  const auto choice = in.byte();
  const auto bits = in.byte();
  const codec::JsonOptions options{.emit_zero_values = (bits & 1) != 0,
                                   .int64_as_string = (bits & 2) != 0,
                                   .enum_as_number = (bits & 4) != 0,
                                   .proto_field_names = (bits & 8) != 0,
                                   .pretty = (bits & 16) != 0};
  const auto message = fuzz::make_message(choice);
  const std::string_view bytes = in.rest();
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  message->DiscardUnknownFields();
  // JSON has one null, whatever number a google.protobuf.NullValue holds.
  if (auto* all = dynamic_cast<::codecs::test::WellKnownTypes*>(message.get())) all->clear_nothing();

  Buffer json;
  json.append("kept");
  const codec::JsonCodec codec(options);
  if (const auto done = codec.marshal(codec::ref(*message), json); !done) {
    fuzz::require(done.error().code() == Code::kInternal, "an undocumented code");
    fuzz::require_equal(json.view(), "kept", "a failed marshal left something behind");
    return;
  }
  json.consume(4);
  const auto again = fuzz::make_message(choice);
  const auto read = codec.unmarshal(json.view(), codec::ref(*again));
  fuzz::require(read.has_value(), read ? "" : "JSON that was written cannot be read: " + read.error().message());
  Buffer second;
  fuzz::require(codec.marshal(codec::ref(*again), second).has_value(), "a message that was read cannot be written");
  fuzz::require_equal(second.view(), json.view(), "a message changes when it is written and read again");

  const auto theirs = fuzz::make_message(choice);
  const auto status = google::protobuf::util::JsonStringToMessage(std::string(json.view()), theirs.get());
  if (fuzz::is_foreign_url(status.ToString())) return;
  fuzz::require(status.ok(), "protobuf refuses what ours writes: " + status.ToString() + "\n" + std::string(json.view()));
  fuzz::require_equal(fuzz::text_of(*again), fuzz::text_of(*theirs), "protobuf reads another message");
}
