#pragma once

#include <string>
#include <vector>

#include <micro/registry/record.hpp>

namespace micro::registry {

// The records in a file of the static registry: a JSON array of records, or one record. Each with one node, as merge() wants
// them. INVALID_ARGUMENT says which record is wrong and why.
Result<std::vector<Service>> records_from_file(const std::string& content);
// Records with any number of nodes, taken apart. INVALID_ARGUMENT for what may not be registered, and for a node that is there
// twice.
Result<std::vector<Service>> single_nodes(const std::vector<Service>& services);

}  // namespace micro::registry
