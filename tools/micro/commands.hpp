#pragma once

#include <string>

#include "session.hpp"

namespace micro::tool {

// Each command prints to standard output, faults to standard error, and gives the exit status: 0, or 1 when it failed.
int list_services(Session& session, Duration timeout);
int describe_service(Session& session, const std::string& service, Duration timeout);
int call_endpoint(Session& session, const std::string& service, const std::string& endpoint, const std::string& json,
                  Duration timeout);

}  // namespace micro::tool
