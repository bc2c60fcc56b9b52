#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/codec/message.hpp>
#include <micro/error/error.hpp>

namespace micro::registry {

// String properties of a record: few, so a flat list. Keys are unique.
using Properties = std::vector<std::pair<std::string, std::string>>;

// The value under `key`, or `fallback`.
std::string_view property(const Properties& properties, std::string_view key, std::string_view fallback = {}) noexcept;
void set_property(Properties& properties, std::string_view key, std::string_view value);

// One method of a service, as published: "Greeter.Hello" with the shape of its request and reply.
struct Endpoint {
  std::string name;
  codec::Schema request;
  codec::Schema response;
  // "path": "/greeter.Greeter/Hello"; "kind": unary, client_stream, server_stream, bidi_stream; "stream": "true" for all but the
  // first of these; "description": from the source.
  Properties metadata;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// One running process of a service. `id` is unique within the service: "greeter-9b2f0c1e-...".
struct Node {
  std::string id;
  // Where it answers, as others can reach it: "10.0.0.7:8080", "unix:/run/greeter.sock".
  std::string address;
  // "protocol", "protocols", "transport", "server", "weight", "zone", and what the user adds.
  Properties metadata;
  friend bool operator==(const Node&, const Node&) = default;
};

// A service in one version. Registries keep one record a node and merge them: get_service() answers one Service for each version
// with all its nodes.
struct Service {
  std::string name;
  std::string version;
  Properties metadata;
  std::vector<Endpoint> endpoints;
  std::vector<Node> nodes;
  friend bool operator==(const Service&, const Service&) = default;
};

// The record as JSON in go-micro's form (names name, version, metadata, endpoints, nodes), and back. from_json fails with
// INVALID_ARGUMENT that names what is wrong; unknown members are ignored.
std::string to_json(const Service& service);
Result<Service> from_json(std::string_view json);

}  // namespace micro::registry
