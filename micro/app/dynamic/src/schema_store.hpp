#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/client/client.hpp>
#include <micro/context/context.hpp>
#include <micro/coro/event.hpp>
#include <micro/registry/cache.hpp>
#include <micro/task/task.hpp>

#include "schema.hpp"

namespace micro::dynamic {

// The schemas one loop knows. Thread safety: that loop.
class SchemaStore {
 public:
  SchemaStore(rpc::Client& client, registry::Cache* registry, Duration refresh_interval);

  // The schema of a service: the one known, unless another version of the service has appeared or left since, or it is `unfit`,
  // one that was tried and did not do. Then a new one is fetched, once for all who want it; the old one if that fails or was done
  // just now.
  Task<Result<SchemaPtr>> get(Context& context, std::string_view service, const rpc::CallOptions& options, const Schema* unfit);

 private:
  using Nodes = std::shared_ptr<const registry::NodeList>;
  struct Flight {
    Event landed;
    // Empty when whoever fetched was destroyed on the way.
    std::optional<Result<SchemaPtr>> result;
  };
  struct Entry {
    SchemaPtr schema;
    Nodes nodes;                        // the last list the schema was found good for
    std::vector<std::string> versions;  // of the nodes when it was fetched
    TimePoint tried;
    bool failed = false;  // the last try
    std::shared_ptr<Flight> flight;
  };
  class Landing;

  Task<Result<Nodes>> nodes_of(Context& context, std::string_view service);
  bool is_good(Entry& entry, const Nodes& nodes, const Schema* unfit) const;
  Task<Result<SchemaPtr>> fetch(Context& context, const std::string& key, std::string_view service,
                                const rpc::CallOptions& options, Nodes nodes);
  Entry& entry(const std::string& key);

  rpc::Client& client_;
  registry::Cache* const registry_;
  const Duration refresh_interval_;
  std::optional<registry::Cache::View> view_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace micro::dynamic
