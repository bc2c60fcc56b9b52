// DNS messages from the network: read or refused; what is read is written and read as the same, with pointers or without.
#include "fuzz.hpp"
#include "node_record.hpp"

MICRO_FUZZ_TARGET(mdns_message) {
  using namespace micro;
  const fuzz::Copy copy(input);
  const auto message = mdns::decode(copy.view());
  if (!message) {
    fuzz::require(message.error().code() == Code::kInvalidArgument, "an undocumented code");
    return;
  }
  for (const bool compress : {false, true}) {
    const auto bytes = mdns::encode(*message, compress);
    if (!bytes) {
      fuzz::require(bytes.error().code() == Code::kResourceExhausted,
                    "what was read cannot be written: " + bytes.error().message());
      continue;
    }
    const auto again = mdns::decode(*bytes);
    fuzz::require(again.has_value(), "a message that was written cannot be read");
    fuzz::require(*again == *message, "a message changes when it is written and read again");
  }
  (void)mdns::heard_nodes(*message, {"micro"});
  (void)mdns::heard_services(*message, {"micro"});
}
