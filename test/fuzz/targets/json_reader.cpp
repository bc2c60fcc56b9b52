// JSON to messages, against protobuf's own reader: what ours accepts, protobuf's accepts and takes to mean the same. The reverse
// does not hold: ours is stricter (RFC 8259). The first byte chooses the message.
#include <google/protobuf/util/json_util.h>

#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/protobuf.hpp>

#include "fuzz.hpp"
#include "messages.hpp"

MICRO_FUZZ_TARGET(json_reader) {
  using namespace micro;
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  const auto ours = fuzz::make_message(choice);
  const auto done = codec::JsonCodec().unmarshal(input, codec::ref(*ours));
  if (!done) {
    fuzz::require(done.error().code() == Code::kInvalidArgument && done.error().reason() == "INVALID_JSON",
                  "an undocumented error");
  }
  const auto lenient = fuzz::make_message(choice);
  const auto tolerated =
      codec::JsonCodec({.ignore_unknown_fields = true, .max_depth = 20}).unmarshal(input, codec::ref(*lenient));
  if (!done) return;
  fuzz::require(!tolerated || fuzz::same(*ours, *lenient), "tolerance changes what good input means");

  const auto theirs = fuzz::make_message(choice);
  const auto status = google::protobuf::util::JsonStringToMessage(std::string(input), theirs.get());
  if (fuzz::is_foreign_url(status.ToString())) return;
  fuzz::require(status.ok(), "ours reads what protobuf refuses: " + status.ToString());
  // protobuf takes -0 for an integer, which has no sign.
  const auto without_sign = [](std::string text) {
    for (std::size_t at = 0; (at = text.find(": -0\n", at)) != text.npos;) text.erase(at + 2, 1);
    return text;
  };
  fuzz::require_equal(without_sign(fuzz::text_of(*ours)), without_sign(fuzz::text_of(*theirs)),
                      "ours reads another message than protobuf");
}
