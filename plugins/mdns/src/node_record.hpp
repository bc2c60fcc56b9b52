#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/registry/record.hpp>

#include "dns_message.hpp"

// Nodes as go-micro's mDNS registry keeps them in DNS records: of one node PTR, SRV, A or AAAA, and TXT, whose texts are one JSON
// document, deflated, in hexadecimal digits.
namespace micro::mdns {

constexpr std::uint32_t kRecordTtl = 120;  // seconds, as go-micro has it
inline const std::string kServices = "_services";

// The labels that stand for a name in a record. A plain name ("my.service") is split at its dots, as go-micro does it; go-micro
// itself has no others. Any other name is percent-encoded, and what it really is stands in the TXT record. encode() refuses what
// is too long for DNS.
Name labels_of(std::string_view name);

// A node as it is answered for.
struct Published {
  registry::Service record;  // with one node
  Name service;              // {"greeter"}
  Name instance;             // {"greeter-9b2f"}
  std::uint16_t port = 0;
  std::string ip;  // 4 or 16 bytes
  std::vector<std::string> texts;
};

// INVALID_ARGUMENT when the address is no IP address with a port, or a name does not fit; RESOURCE_EXHAUSTED when the record is
// too large for a datagram.
Result<Published> publish(const registry::Service& record, const Name& domain, const Name& host);

// PTR, SRV, A or AAAA, TXT: the answer to a question for the service.
std::vector<Record> service_records(const Published& node, const Name& domain, const Name& host);
// SRV, A or AAAA, TXT: what is announced; with a `ttl` of 0 that it has left.
std::vector<Record> instance_records(const Published& node, const Name& domain, const Name& host, std::uint32_t ttl);
// What is answered to a question for "_services": that there is a service of this name.
std::vector<Record> listing_records(const Name& service, const Name& domain, const Name& host);

// A node in a message of somebody else.
struct Heard {
  registry::Service record;  // with one node
  bool leaving = false;      // its records have the TTL 0
};
// The nodes in `message`; what is incomplete, of another domain or unreadable is left out.
std::vector<Heard> heard_nodes(const Message& message, const Name& domain);
// The services that `message`, an answer to a question for "_services", names.
std::vector<Name> heard_services(const Message& message, const Name& domain);

// The texts of a TXT record, and back. Unreadable ones are INVALID_ARGUMENT; so is what would fill more than a few megabytes.
std::vector<std::string> pack_texts(std::string_view json);
Result<std::string> unpack_texts(const std::vector<std::string>& texts);

}  // namespace micro::mdns
