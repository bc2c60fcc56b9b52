#include "slot.hpp"

#include <algorithm>

#include <micro/loop/timer.hpp>
#include <micro/mucp/json.hpp>
#include <micro/tls/credentials.hpp>
#include <micro/uri/uri.hpp>

namespace micro::client {
namespace {

// A service may be newer than we are.
codec::JsonOptions reading_json() {
  codec::JsonOptions options = mucp::json_options();
  options.ignore_unknown_fields = true;
  return options;
}

}  // namespace

Snapshot::Snapshot(Slot& slot, std::shared_ptr<const registry::NodeList> nodes) : nodes_(std::move(nodes)) {
  pools_.reserve(nodes_->candidates.size());
  for (const registry::Candidate& candidate : nodes_->candidates) {
    pools_.push_back(&slot.acquire_pool(candidate.node));
    const MucpRoute route = slot.acquire_mucp(candidate.node);
    if (route.node != nullptr) routes_.resize(nodes_->candidates.size());
    if (route.node != nullptr) routes_[pools_.size() - 1] = route;
  }
}

Snapshot::~Snapshot() {
  for (NodePool* pool : pools_) pool->release();
  for (const MucpRoute& route : routes_) {
    if (route.node != nullptr) route.node->release();
  }
}

Slot::Slot(Loop& loop, registry::Cache* registry, const rpc::ClientOptions& options)
    : loop_(loop),
      registry_(registry),
      options_(options),
      go_json_(reading_json()),
      scratch_(std::make_unique_for_overwrite<std::array<char, 64 * 1024>>()) {
  Result<std::unique_ptr<selector::Selector>> made = selector::make_selector(options.strategy);
  if (made)
    selector_ = std::move(*made);
  else
    selector_error_ = std::move(made.error());
  if (registry != nullptr) view_ = std::make_unique<registry::Cache::View>(*registry);
}

Slot::~Slot() = default;

Result<SnapshotRef> Slot::nodes(std::string_view service, const std::vector<std::string>& addresses) {
  if (selector_error_) [[unlikely]]
    return fail(*selector_error_);
  if (!addresses.empty()) return from_addresses(addresses);
  // No name in a registry has a colon.
  if (service.find(':') != std::string_view::npos) [[unlikely]]
    return from_target(service);
  if (!view_) {
    return fail(failed_precondition("where is service \"" + std::string(service) +
                                    "\"? This client has no registry: give it one, or name addresses in the call's options"));
  }
  const registry::NodeList* const list = view_->get(service);
  if (list == nullptr) return SnapshotRef();
  if (last_service_ == nullptr || last_service_->first != service) {
    auto found = services_.find(service);
    if (found == services_.end()) found = services_.emplace(service, SnapshotRef()).first;
    last_service_ = &*found;
  }
  SnapshotRef& known = last_service_->second;
  // Kept alive by the snapshot, so the same address is the same list.
  if (!known || &known->nodes() != list) known = SnapshotRef(new Snapshot(*this, view_->share(service)));
  return known;
}

Result<SnapshotRef> Slot::from_target(std::string_view text) {
  auto found = targets_.find(text);
  if (found == targets_.end()) {
    Result<Target> parsed = parse_target(text);
    if (!parsed) return fail(std::move(parsed.error()));
    if (targets_.size() >= kMostAddressLists) targets_.erase(targets_.begin());
    found = targets_.emplace(text, std::move(*parsed)).first;
  }
  if (!found->second.addresses.empty()) return from_addresses(found->second.addresses);
  return nodes(found->second.name, {});
}

Task<Result<void>> Slot::lookup(Context& context, std::string_view service) {
  const std::string name(registry_name(service));
  Result<std::shared_ptr<const registry::NodeList>> found = co_await registry_->lookup(context, name);
  if (!found) co_return fail(std::move(found.error()));
  co_return Result<void>{};
}

Result<SnapshotRef> Slot::from_addresses(const std::vector<std::string>& addresses) {
  std::string_view key = addresses.front();
  if (addresses.size() > 1) {
    joined_.clear();
    for (const std::string& address : addresses) joined_.append(joined_.empty() ? "" : ",").append(address);
    key = joined_;
  }
  if (const auto found = address_lists_.find(key); found != address_lists_.end()) [[likely]]
    return found->second;

  auto list = std::make_shared<registry::NodeList>();
  list->service = key;
  for (const std::string& address : addresses) {
    if (Result<Address> parsed = Address::parse(address); !parsed) return fail(std::move(parsed.error()));
    registry::Candidate candidate;
    candidate.node.id = candidate.node.address = address;
    list->candidates.push_back(std::move(candidate));
  }
  // A program that makes up addresses all the time must not make us keep all of them.
  if (address_lists_.size() >= kMostAddressLists) {
    const auto victim = address_lists_.begin();
    selector_->reset(victim->first);
    address_lists_.erase(victim);
  }
  return address_lists_.emplace(key, SnapshotRef(new Snapshot(*this, std::move(list)))).first->second;
}

MucpRoute Slot::acquire_mucp(const registry::Node& node) {
  if (!rpc::speaks_mucp_only(node)) return {};
  const bool legacy = registry::property(node.metadata, rpc::kProtocolProperty).empty();
  const bool secure = is_secure(node);
  std::unique_ptr<MucpNode>& found = mucp_nodes_[secure ? 1 : 0][node.address];
  if (!found) found = std::make_unique<MucpNode>(*this, node.address, secure);
  found->acquire();
  return {found.get(), legacy};
}

void Slot::forget_mucp(MucpNode& node) {
  auto& nodes = mucp_nodes_[node.secure() ? 1 : 0];
  if (const auto found = nodes.find(node.address()); found != nodes.end()) nodes.erase(found);
}

bool Slot::is_secure(const registry::Node& node) const noexcept {
  return options_.require_tls || registry::property(node.metadata, rpc::kTlsProperty) == "true";
}

NodePool& Slot::acquire_pool(const registry::Node& node) {
  const bool secure = is_secure(node);
  std::unique_ptr<NodePool>& pool = pools_[secure ? 1 : 0][node.address];
  if (!pool) pool = std::make_unique<NodePool>(*this, node.address, secure);
  pool->acquire();
  return *pool;
}

void Slot::forget_pool(NodePool& pool) {
  auto& pools = pools_[pool.secure() ? 1 : 0];
  if (const auto found = pools.find(pool.address()); found != pools.end()) pools.erase(found);
}

Result<std::shared_ptr<tls::ClientCredentials>> Slot::tls_credentials() {
  if (options_.tls) return options_.tls;
  if (!system_tls_) {
    Result<std::shared_ptr<tls::ClientCredentials>> loaded = tls::ClientCredentials::load({});
    if (!loaded) return fail(std::move(loaded.error()));
    system_tls_ = std::move(*loaded);
  }
  return system_tls_;
}

std::vector<NodePool*> Slot::all_pools() const {
  std::vector<NodePool*> all;
  for (const auto& pools : pools_) {
    for (const auto& [address, pool] : pools) all.push_back(pool.get());
  }
  return all;
}

Task<void> Slot::stop(TimePoint deadline) {
  Timer timer;
  const auto out_of_time = [](void* self) {
    auto& slot = *static_cast<Slot*>(self);
    const Error reason = cancelled("the client was stopped");
    slot.stopping_.cancel(reason);
    for (NodePool* pool : slot.all_pools()) pool->abort(reason);
  };
  timer.set(loop_, deadline, out_of_time, this);
  co_await calls.close();
  timer.cancel();

  services_.clear();
  last_service_ = nullptr;
  address_lists_.clear();
  // Whoever is still connecting does it for nobody.
  const Error reason = cancelled("the client was stopped");
  for (NodePool* pool : all_pools()) pool->abort(reason);
  co_await connections.close();
  view_.reset();
}

}  // namespace micro::client
