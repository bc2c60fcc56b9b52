#pragma once

#include <string_view>

#include <micro/client/client.hpp>
#include <micro/context/context.hpp>
#include <micro/task/task.hpp>

#include "schema.hpp"

namespace micro::dynamic {

// Asks a node of `service` for its schema by server reflection: its services, their files and all imports, over one stream.
// Takes no longer than the options' timeout, or five seconds when they have none.
// Errors: those of the client, with "schema of <service>" before; FAILED_PRECONDITION, reason NO_REFLECTION, for a node that
// knows neither version of reflection; FAILED_PRECONDITION, reason BAD_SCHEMA, for files that make no sense.
Task<Result<SchemaPtr>> fetch_schema(Context& context, rpc::Client& client, std::string_view service,
                                     const rpc::CallOptions& options);

}  // namespace micro::dynamic
