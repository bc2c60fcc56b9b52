#include "registrar.hpp"

#include <algorithm>

#include <micro/registry/records.hpp>

#include "etcd.pb.h"

namespace micro::etcd {
namespace {

std::int64_t in_seconds(Duration ttl) {
  if (ttl <= Duration::zero()) return 0;
  const auto whole = std::chrono::ceil<std::chrono::seconds>(ttl).count();
  return std::max<std::int64_t>(whole, 1);
}

}  // namespace

Task<Result<void>> Registrar::put(Context& context, const registry::Service& service, Duration ttl) {
  for (const registry::Node& node : service.nodes) {
    Result<void> done = co_await put_node(context, registry::single_node(service, node), in_seconds(ttl));
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

Task<Result<void>> Registrar::put_node(Context& context, registry::Service record, std::int64_t ttl) {
  const Result<std::string> value = layout_.encode(record);
  if (!value) co_return fail(value.error());
  const registry::Node& node = record.nodes.front();
  std::shared_ptr<Held>& slot = held_[{record.name, node.id}];
  if (!slot) slot = std::make_shared<Held>();
  const std::shared_ptr<Held> held = slot;
  const Result<Mutex::Lock> lock = co_await held->mutex.lock(context);
  if (!lock) co_return fail(lock.error());

  const std::int64_t old_lease = held->lease;
  const std::string old_key = held->key;
  Result<void> written;
  // Twice, as a lease may end between being renewed and being used.
  for (int i = 0; i < 2; ++i) {
    Result<void> leased = co_await hold_lease(context, *held, ttl);
    if (!leased) co_return leased;
    held->key = layout_.key(record.name, node, held->lease);
    written = co_await write(context, held->key, *value, held->lease);
    if (written || written.error().code() != Code::kNotFound) break;
    held->lease = 0;
  }
  if (!written) co_return written;
  if (!old_key.empty() && old_key != held->key) {
    Result<void> erased = co_await erase(context, old_key);
    if (!erased) co_return erased;
  }
  if (old_lease != 0 && old_lease != held->lease) co_await revoke(context, old_lease);
  co_return Result<void>{};
}

Task<Result<void>> Registrar::hold_lease(Context& context, Held& held, std::int64_t ttl) {
  if (held.lease != 0 && held.ttl == ttl) {
    const Result<std::int64_t> left = co_await session_.keep_alive(context, held.lease);
    if (!left) co_return fail(left.error());
    if (*left > 0) co_return Result<void>{};
    ++session_.counters.leases_lost;
    session_.logger().info("a lease was lost; registering again", {{"registry", session_.describe()}});
  }
  held.lease = 0;
  held.ttl = ttl;
  if (ttl == 0) co_return Result<void>{};
  wire::LeaseGrantRequest request;
  request.set_ttl(ttl);
  wire::LeaseGrantResponse reply;
  Result<void> granted = co_await session_.call(context, kLeaseGrant, request, reply);
  if (granted) held.lease = reply.id();
  co_return granted;
}

// Only when it is not there as it should be, so that a renewal is no news for those who watch.
Task<Result<void>> Registrar::write(Context& context, const std::string& key, const std::string& value, std::int64_t lease) {
  wire::TxnRequest request;
  wire::Compare& same_value = *request.add_compare();
  same_value.set_target(wire::Compare::VALUE);
  same_value.set_key(key);
  same_value.set_value(value);
  wire::Compare& same_lease = *request.add_compare();
  same_lease.set_target(wire::Compare::LEASE);
  same_lease.set_key(key);
  same_lease.set_lease(lease);
  wire::PutRequest& put = *request.add_failure()->mutable_request_put();
  put.set_key(key);
  put.set_value(value);
  put.set_lease(lease);
  wire::TxnResponse reply;
  co_return co_await session_.call(context, kTxn, request, reply);
}

Task<Result<void>> Registrar::remove(Context& context, const registry::Service& service) {
  for (const registry::Node& node : service.nodes) {
    Result<void> done = co_await remove_node(context, service.name, node);
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

Task<Result<void>> Registrar::remove_node(Context& context, const std::string& service, const registry::Node& node) {
  const auto found = held_.find({service, node.id});
  if (found == held_.end()) co_return co_await erase(context, layout_.key(service, node, 0));
  const std::shared_ptr<Held> held = found->second;
  const Result<Mutex::Lock> lock = co_await held->mutex.lock(context);
  if (!lock) co_return fail(lock.error());
  const std::string key = held->key.empty() ? layout_.key(service, node, 0) : held->key;
  Result<void> erased = co_await erase(context, key);
  if (!erased) co_return erased;
  const std::int64_t lease = std::exchange(held->lease, 0);
  held->key.clear();
  if (lease != 0) co_await revoke(context, lease);
  held_.erase({service, node.id});
  co_return Result<void>{};
}

Task<Result<void>> Registrar::erase(Context& context, const std::string& key) {
  wire::DeleteRangeRequest request;
  request.set_key(key);
  wire::DeleteRangeResponse reply;
  co_return co_await session_.call(context, kDeleteRange, request, reply);
}

// Of a lease under which nothing is left; one that cannot be revoked now runs out.
Task<void> Registrar::revoke(Context& context, std::int64_t lease) {
  wire::LeaseRevokeRequest request;
  request.set_id(lease);
  wire::LeaseRevokeResponse reply;
  (void)co_await session_.call(context, kLeaseRevoke, request, reply);
}

}  // namespace micro::etcd
