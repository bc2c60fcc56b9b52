#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace micro::generator {

// A keyword of C++23, or a macro the standard C headers define in lower or upper case.
bool is_cpp_keyword(std::string_view name);

// `name`, with `_` appended until it is neither a keyword nor in `taken`; the name on the wire is not touched by this.
std::string cpp_name(std::string_view name, const std::set<std::string>& taken);

// Names inside a generated service struct and its classes that a method or service must not have.
const std::set<std::string>& reserved_names();

// "a.b.c" -> {"a", "b", "c"}; nothing for an empty package.
std::vector<std::string> split_package(std::string_view package);

// The name a service has in the registry unless its user says otherwise: the last part of the package, or the service's own
// name in lower case without one.
std::string registry_name(std::string_view package, std::string_view service);

}  // namespace micro::generator
