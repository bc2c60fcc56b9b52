#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <micro/client/client.hpp>
#include <micro/client/options.hpp>
#include <micro/context/context.hpp>
#include <micro/dynamic/caller.hpp>

// Calls of nodes that speak go-micro's own RPC alone: it has no reflection, but a content type for JSON, so that texts pass as
// they are and the node says what does not fit.
namespace micro::registry {
class Cache;
}

namespace micro::dynamic {

// Whether the nodes of `service` are of that kind, all of them. False also when they are not known: the call itself then tells.
Task<bool> speaks_mucp_only(Context& context, registry::Cache& registry, std::string_view service);

Task<Result<std::string>> call_raw(Context& context, rpc::Client& client, std::string_view service, std::string_view endpoint,
                                   std::string_view json, const rpc::CallOptions& options);

// Nothing says which kind of stream a method is. After one message its replies are awaited to their end, which is that of the
// method; after several, as many replies as there were messages.
Task<Result<void>> stream_raw(Context& context, rpc::Client& client, std::string_view service, std::string_view endpoint,
                              JsonSource& source, JsonSink& sink, const rpc::CallOptions& options);

}  // namespace micro::dynamic
