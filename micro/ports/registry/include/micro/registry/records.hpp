#pragma once

#include <string_view>
#include <vector>

#include <micro/registry/record.hpp>

// What every registry does with records, for those who write one.
namespace micro::registry {

// Whether `service` may be registered: a name, at least one node, each with an id of its own and an address. INVALID_ARGUMENT
// says what is missing and on which service.
Result<void> check_registrable(const Service& service);
// Whether `service` may be deregistered: a name, and nodes with ids.
Result<void> check_deregistrable(const Service& service);

// The record of one node alone: `service` without its other nodes.
Service single_node(const Service& service, const Node& node);

// Single-node records as get_service() and list_services() answer them: one Service a name and version, sorted by both, its
// nodes sorted by id. Metadata and endpoints are those of the first node that has any.
std::vector<Service> merge(std::vector<Service> records);

// NOT_FOUND [NO_NODE] "no node of service X in Y".
Error no_node(std::string_view service, std::string_view registry);

// FAILED_PRECONDITION [READ_ONLY]: "cannot register service X: Y is read-only; ...", for registries whose records come from
// elsewhere. `verb`: register or deregister.
Error read_only(std::string_view verb, std::string_view service, std::string_view registry);

}  // namespace micro::registry
