// Nodes in mDNS records. The first line of the input is the id, the rest the document in the TXT record: what another program
// published is read or left out, and what is read is published and heard as the same.
#include "fuzz.hpp"
#include "node_record.hpp"

MICRO_FUZZ_TARGET(mdns_record) {
  using namespace micro;
  const mdns::Name domain{"micro"};
  const mdns::Name host{"box"};
  const auto cut = std::min(input.find('\n'), input.size());
  const std::string id(input.substr(0, std::min<std::size_t>(cut, 63)));
  const std::string document(input.substr(std::min(cut + 1, input.size())));
  fuzz::require(mdns::unpack_texts(mdns::pack_texts(document)) == document, "a document changes in the texts");
  (void)mdns::unpack_texts({document.substr(0, 255)});
  if (id.empty()) return;

  const mdns::Name instance{id, "greeter", "micro"};
  mdns::Message message{
      .answers = {{.name = instance, .type = mdns::Type::kSrv, .ttl = 120, .target = host, .port = 80},
                  {.name = host, .type = mdns::Type::kA, .ttl = 120, .data = "\x0A\x01\x02\x03"},
                  {.name = instance, .type = mdns::Type::kTxt, .ttl = 120, .texts = mdns::pack_texts(document)}}};
  for (const mdns::Heard& heard : mdns::heard_nodes(message, domain)) {
    fuzz::require(heard.record.nodes.size() == 1 && heard.record.nodes[0].address == "10.1.2.3:80",
                  "a node with another address");
    const auto published = mdns::publish(heard.record, domain, host);
    if (!published) continue;
    message.answers = mdns::service_records(*published, domain, host);
    const auto bytes = mdns::encode(message, true);
    fuzz::require(bytes.has_value(), "what may be published cannot be written");
    const auto again = mdns::heard_nodes(mdns::decode(*bytes).value(), domain);
    fuzz::require(again.size() == 1 && again[0].record == heard.record, "a record changes when it is published and heard again");
  }
}
