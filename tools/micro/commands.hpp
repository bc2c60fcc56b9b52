#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace micro::tool {

// Each command prints to standard output, faults to standard error, and gives the exit status: 0, or 1 when it failed.
int list_services(Session& session, Duration timeout);
int describe_service(Session& session, const std::string& service, Duration timeout);
int call_endpoint(Session& session, const std::string& service, const std::string& endpoint, const std::string& json,
                  Duration timeout);
// A call of any kind: `messages` are sent one after the other, a single "-" stands for the lines of standard input; each reply is
// printed on a line of its own as it comes. `timeout` limits the search for the service, not the stream.
int stream_endpoint(Session& session, const std::string& service, const std::string& endpoint,
                    const std::vector<std::string>& messages, Duration timeout);

}  // namespace micro::tool
