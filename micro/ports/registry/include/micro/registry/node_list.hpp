#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <micro/registry/record.hpp>

namespace micro::registry {

// A node with the version of the service it belongs to: what a selector chooses from.
struct Candidate {
  Node node;
  std::string version;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

// Tells lists apart without comparing them: of two lists with one id neither is newer. No part of a list's value.
class ListId {
 public:
  ListId();
  std::uint64_t value() const noexcept { return value_; }
  friend bool operator==(const ListId&, const ListId&) { return true; }

 private:
  std::uint64_t value_;
};

// The nodes of one service at one moment, in the order of their ids. Immutable once made, shared between loops.
struct NodeList {
  std::string service;
  std::vector<Candidate> candidates;
  ListId id{};
  friend bool operator==(const NodeList&, const NodeList&) = default;
};

// The nodes of all versions of `service` in one list.
NodeList make_node_list(std::string_view service, const std::vector<Service>& versions);

}  // namespace micro::registry
