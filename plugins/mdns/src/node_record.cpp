#include "node_record.hpp"

#include <arpa/inet.h>
#include <zlib.h>

#include <algorithm>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include <micro/uri/uri.hpp>

namespace micro::mdns {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;
using registry::Service;

constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxText = 255;
constexpr std::size_t kMaxInflated = std::size_t{4} << 20;  // a TXT record of 64 KiB could claim to be 30 MB
constexpr std::uint16_t kListingPort = 9999;                // go-micro's
constexpr std::string_view kHex = "0123456789abcdef";

bool is_plain(char c) {
  // What the Go library for DNS neither escapes nor takes for something else.
  constexpr std::string_view kSpecial = "\\\"'();@$.";
  return c > ' ' && c < 0x7F && !kSpecial.contains(c);
}

bool is_plain_name(std::string_view name) {
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
    } else if (!is_plain(c) || ++label > kMaxLabel) {
      return false;
    }
  }
  return label > 0;
}

std::string joined(const Name& labels) {
  std::string text;
  for (const std::string& label : labels) text += (text.empty() ? "" : ".") + label;
  return text;
}

Name without_suffix(const Name& name, const Name& suffix) {
  return Name(name.begin(), name.end() - static_cast<std::ptrdiff_t>(suffix.size()));
}

std::string dump(const OrderedJson& value) { return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace); }

// go-micro's members first; it ignores ours, which are there only when they say something.
std::string text_document(const Service& record, bool plain_id) {
  const OrderedJson whole = OrderedJson::parse(to_json(record));
  OrderedJson document{{"Metadata", whole["nodes"][0]["metadata"]},
                       {"Service", record.name},
                       {"Version", record.version},
                       {"Endpoints", whole["endpoints"]}};
  if (!record.metadata.empty()) document["ServiceMetadata"] = whole["metadata"];
  if (!plain_id) document["Id"] = record.nodes.front().id;
  return dump(document);
}

Json member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? Json(nullptr) : *found;
}

// The record that a TXT document and what the other records say make together.
std::optional<Service> service_of(const std::string& document, const std::string& id, const std::string& address) {
  const Json text = Json::parse(document, nullptr, false);
  if (!text.is_object()) return std::nullopt;
  const Json own_id = member(text, "Id");
  const Json whole{
      {"name", member(text, "Service")},
      {"version", member(text, "Version")},
      {"metadata", member(text, "ServiceMetadata")},
      {"endpoints", member(text, "Endpoints")},
      {"nodes",
       Json::array(
           {{{"id", own_id.is_string() ? own_id : Json(id)}, {"address", address}, {"metadata", member(text, "Metadata")}}})}};
  auto service = registry::from_json(whole.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!service || service->nodes.front().id.empty()) return std::nullopt;
  return std::move(*service);
}

Record record_of(Name name, Type type, std::uint32_t ttl) { return {.name = std::move(name), .type = type, .ttl = ttl}; }

std::string address_of(const std::string& four, const std::string& six, std::uint16_t port) {
  char text[INET6_ADDRSTRLEN];
  const bool is_four = !four.empty();
  inet_ntop(is_four ? AF_INET : AF_INET6, is_four ? four.data() : six.data(), text, sizeof text);
  return Address{.host = text, .port = port, .unix_path = {}}.to_string();
}

}  // namespace

Name labels_of(std::string_view name) {
  std::string text(name);
  Name labels;
  if (is_plain_name(name)) {
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('.', begin), text.size());
      labels.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  } else {
    text = percent_encode(name);
    for (std::size_t at = text.find('.'); at != std::string::npos; at = text.find('.', at)) text.replace(at, 1, "%2E");
    for (std::size_t begin = 0; begin < text.size(); begin += kMaxLabel) labels.push_back(text.substr(begin, kMaxLabel));
  }
  return labels;
}

Result<Published> publish(const Service& record, const Name& domain, const Name& host) {
  const registry::Node& node = record.nodes.front();
  const std::string what = "node \"" + node.id + "\" of service \"" + record.name + "\"";
  if (record.name == kServices)
    return fail(invalid_argument("a service cannot be called _services in mDNS: that name lists all"));
  Published published{.record = record};
  published.service = labels_of(record.name);
  published.instance = labels_of(node.id);
  const auto address = Address::parse(node.address);
  if (!address) return fail(Error(address.error()).with_context(what));
  char ip[16];
  if (inet_pton(AF_INET, address->host.c_str(), ip) == 1) {
    published.ip.assign(ip, 4);
  } else if (inet_pton(AF_INET6, address->host.c_str(), ip) == 1) {
    published.ip.assign(ip, 16);
  }
  if (published.ip.empty() || address->port == 0) {
    return fail(invalid_argument(what + ": mDNS carries IP addresses with a port, not \"" + node.address +
                                 "\"; say which one others can reach with --advertise"));
  }
  published.port = address->port;
  published.texts = pack_texts(text_document(record, is_plain_name(node.id)));
  const Message all{.answers = service_records(published, domain, host)};
  if (auto fits = encode(all, true); !fits) return fail(std::move(fits.error()).with_context(what));
  return published;
}

std::vector<Record> instance_records(const Published& node, const Name& domain, const Name& host, std::uint32_t ttl) {
  const Name name = node.instance + node.service + domain;
  std::vector<Record> records{record_of(name, Type::kSrv, ttl),
                              record_of(host, node.ip.size() == 4 ? Type::kA : Type::kAaaa, ttl),
                              record_of(name, Type::kTxt, ttl)};
  records[0].priority = 10;
  records[0].weight = 1;
  records[0].port = node.port;
  records[0].target = host;
  records[1].data = node.ip;
  records[2].texts = node.texts;
  return records;
}

std::vector<Record> service_records(const Published& node, const Name& domain, const Name& host) {
  std::vector<Record> records{record_of(node.service + domain, Type::kPtr, kRecordTtl)};
  records[0].target = node.instance + node.service + domain;
  for (Record& record : instance_records(node, domain, host, kRecordTtl)) records.push_back(std::move(record));
  return records;
}

std::vector<Record> listing_records(const Name& service, const Name& domain, const Name& host) {
  Published listing{.service = {kServices}, .instance = service, .port = kListingPort, .ip = std::string(4, '\0')};
  return service_records(listing, domain, host);
}

std::vector<std::string> pack_texts(std::string_view json) {
  uLongf size = compressBound(json.size());
  std::string deflated(size, '\0');
  // Fails for lack of memory only: the buffer is as large as zlib says.
  if (compress(reinterpret_cast<Bytef*>(deflated.data()), &size, reinterpret_cast<const Bytef*>(json.data()), json.size()) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  std::string digits;
  for (const char c : std::string_view(deflated).substr(0, size)) {
    const auto byte = static_cast<unsigned char>(c);
    digits.push_back(kHex[byte >> 4]);
    digits.push_back(kHex[byte & 15]);
  }
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin < digits.size(); begin += kMaxText) texts.push_back(digits.substr(begin, kMaxText));
  return texts;
}

Result<std::string> unpack_texts(const std::vector<std::string>& texts) {
  std::string digits;
  for (const std::string& text : texts) digits += text;
  if (digits.empty() || digits.size() % 2 != 0) return fail(invalid_argument("TXT record: not an even number of digits"));
  std::string bytes;
  const auto value = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = value(digits[i]);
    const int low = value(digits[i + 1]);
    if (high < 0 || low < 0) return fail(invalid_argument("TXT record: no hexadecimal digits"));
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string json;
  int status = Z_OK;
  while (status == Z_OK && json.size() < kMaxInflated) {
    char piece[8192];
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    status = inflate(&stream, Z_NO_FLUSH);
    json.append(piece, sizeof piece - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) return fail(invalid_argument("TXT record: no zlib stream, or one that is too large"));
  return json;
}

std::vector<Heard> heard_nodes(const Message& message, const Name& domain) {
  std::map<Name, const Record*> services;
  std::map<Name, const Record*> texts;
  std::map<Name, std::string> fours;
  std::map<Name, std::string> sixes;
  for (const auto* section : {&message.answers, &message.additionals}) {
    for (const Record& record : *section) {
      if (record.type == Type::kSrv) services.try_emplace(record.name, &record);
      if (record.type == Type::kTxt) texts.try_emplace(record.name, &record);
      if (record.type == Type::kA) fours.try_emplace(record.name, record.data);
      if (record.type == Type::kAaaa) sixes.try_emplace(record.name, record.data);
    }
  }
  std::vector<Heard> nodes;
  for (const auto& [name, srv] : services) {
    const auto text = texts.find(name);
    if (text == texts.end() || srv->port == 0 || !is_below(name, domain)) continue;
    const auto four = fours.find(srv->target);
    const auto six = sixes.find(srv->target);
    if (four == fours.end() && six == sixes.end()) continue;
    const auto document = unpack_texts(text->second->texts);
    if (!document) continue;
    // The name of the service, which says where in the name of the instance the id ends, is known when the document is read.
    const std::string address =
        address_of(four == fours.end() ? "" : four->second, six == sixes.end() ? "" : six->second, srv->port);
    auto service = service_of(*document, "?", address);
    if (!service) continue;
    const Name suffix = labels_of(service->name) + domain;
    if (!is_below(name, suffix)) continue;
    service = service_of(*document, joined(without_suffix(name, suffix)), address);
    if (service) nodes.push_back({.record = std::move(*service), .leaving = text->second->ttl == 0});
  }
  return nodes;
}

std::vector<Name> heard_services(const Message& message, const Name& domain) {
  const Name list = Name{kServices} + domain;
  std::vector<Name> names;
  for (const Record& record : message.answers) {
    if (record.type != Type::kPtr || record.ttl == 0 || record.name != list || !is_below(record.target, list)) continue;
    names.push_back(without_suffix(record.target, list));
  }
  return names;
}

}  // namespace micro::mdns
