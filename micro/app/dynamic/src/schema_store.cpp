#include "schema_store.hpp"

#include <algorithm>
#include <utility>

#include <micro/loop/loop.hpp>

#include "fetch.hpp"

namespace micro::dynamic {
namespace {

// Beyond this everything is forgotten: only addresses made up by callers get there.
constexpr std::size_t kMostEntries = 1000;

std::vector<std::string> versions_of(const registry::NodeList& nodes) {
  std::vector<std::string> versions;
  for (const registry::Candidate& candidate : nodes.candidates) {
    if (std::ranges::find(versions, candidate.version) == versions.end()) versions.push_back(candidate.version);
  }
  std::ranges::sort(versions);
  return versions;
}

// Other nodes may have another schema.
std::string key_of(std::string_view service, const rpc::CallOptions& options) {
  std::string key(service);
  for (const std::string& address : options.addresses) key.append("\n@").append(address);
  for (const selector::FilterPtr& filter : options.filters) key.append("\n?").append(filter->describe());
  return key;
}

// The time of the one who fetched was over; others may have more.
bool was_cut_short(const Result<SchemaPtr>& result) {
  return !result && (result.error().code() == Code::kCancelled || result.error().code() == Code::kDeadlineExceeded);
}

}  // namespace

// Ends a flight, also when the coroutine that fetches is destroyed before its end.
class SchemaStore::Landing {
 public:
  Landing(SchemaStore& store, const std::string& key, std::shared_ptr<Flight> flight)
      : store_(store), key_(key), flight_(std::move(flight)) {}
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;
  ~Landing() {
    const auto found = store_.entries_.find(key_);
    if (found != store_.entries_.end() && found->second.flight == flight_) {
      found->second.flight.reset();
      if (found->second.schema == nullptr) store_.entries_.erase(found);
    }
    flight_->landed.set();
  }

 private:
  SchemaStore& store_;
  const std::string& key_;
  const std::shared_ptr<Flight> flight_;
};

SchemaStore::SchemaStore(rpc::Client& client, registry::Cache* registry, Duration refresh_interval)
    : client_(client), registry_(registry), refresh_interval_(refresh_interval) {
  if (registry_ != nullptr) view_.emplace(*registry_);
}

Task<Result<SchemaPtr>> SchemaStore::get(Context& context, std::string_view service, const rpc::CallOptions& options,
                                         const Schema* unfit) {
  Nodes nodes;
  if (options.addresses.empty()) {
    Result<Nodes> known = co_await nodes_of(context, service);
    if (!known) co_return fail(std::move(known.error()));
    nodes = std::move(*known);
  }
  const std::string key = key_of(service, options);
  bool has_waited = false;
  while (true) {
    const auto found = entries_.find(key);
    if (found != entries_.end() && is_good(found->second, nodes, unfit)) co_return found->second.schema;
    const std::shared_ptr<Flight> flight = found == entries_.end() ? nullptr : found->second.flight;
    if (flight == nullptr) co_return co_await fetch(context, key, service, options, std::move(nodes));
    Result<void> waited = co_await flight->landed.wait(context);
    if (!waited) co_return fail(std::move(waited.error()));
    if (flight->result && (has_waited || !was_cut_short(*flight->result))) co_return *flight->result;
    has_waited = true;
  }
}

Task<Result<SchemaStore::Nodes>> SchemaStore::nodes_of(Context& context, std::string_view service) {
  if (registry_ == nullptr) {
    co_return fail(
        failed_precondition("no registry here to find service \"" + std::string(service) + "\" in; give its addresses"));
  }
  if (Nodes known = view_->share(service)) co_return known;
  co_return co_await registry_->lookup(context, service);
}

bool SchemaStore::is_good(Entry& entry, const Nodes& nodes, const Schema* unfit) const {
  if (entry.schema == nullptr) return false;
  const bool tried_just_now = Loop::current()->now() - entry.tried < refresh_interval_;
  if (entry.schema.get() == unfit) return tried_just_now;
  if (nodes == nullptr || nodes == entry.nodes) return true;
  // Of no node at all nothing can be asked; the call will say so.
  if (nodes->candidates.empty() || versions_of(*nodes) == entry.versions) {
    entry.nodes = nodes;
    return true;
  }
  return entry.failed && tried_just_now;
}

Task<Result<SchemaPtr>> SchemaStore::fetch(Context& context, const std::string& key, std::string_view service,
                                           const rpc::CallOptions& options, Nodes nodes) {
  const auto flight = std::make_shared<Flight>();
  entry(key).flight = flight;
  const Landing landing(*this, key, flight);
  Result<SchemaPtr> fetched = co_await fetch_schema(context, client_, service, options);
  Entry& mine = entry(key);
  mine.tried = Loop::current()->now();
  mine.failed = !fetched;
  if (fetched) {
    mine.schema = *fetched;
    mine.versions = nodes == nullptr ? std::vector<std::string>() : versions_of(*nodes);
    mine.nodes = std::move(nodes);
  } else if (mine.schema != nullptr) {
    fetched = mine.schema;
  }
  flight->result = fetched;
  co_return fetched;
}

SchemaStore::Entry& SchemaStore::entry(const std::string& key) {
  if (entries_.size() >= kMostEntries && !entries_.contains(key)) entries_.clear();
  return entries_[key];
}

}  // namespace micro::dynamic
