#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <micro/bytes/buffer.hpp>
#include <micro/client/options.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/proto_codec.hpp>
#include <micro/context/cancellation.hpp>
#include <micro/coro/gate.hpp>
#include <micro/error/error.hpp>
#include <micro/grpc/fields.hpp>
#include <micro/http2/field.hpp>
#include <micro/loop/loop.hpp>
#include <micro/registry/cache.hpp>
#include <micro/selector/selector.hpp>
#include <micro/task/task.hpp>

#include "by_name.hpp"
#include "counters.hpp"
#include "mucp_node.hpp"
#include "node_pool.hpp"
#include "snapshot.hpp"
#include "target.hpp"

namespace micro::client {

// Everything a client has on one loop; no other thread touches it, except to read the counters.
class Slot {
 public:
  Slot(Loop& loop, registry::Cache* registry, const rpc::ClientOptions& options);
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot();

  Loop& loop() const noexcept { return loop_; }
  const rpc::ClientOptions& options() const noexcept { return options_; }
  const codec::Codec& codec() const noexcept { return codec_; }
  // For programs of go-micro.
  const codec::Codec& go_json() const noexcept { return go_json_; }
  // The Micro-Id of the next call.
  std::uint64_t next_mucp_id() noexcept { return mucp_id_++; }
  selector::Selector& selector() noexcept { return *selector_; }

  // The nodes to choose from: `addresses` when there are any, else what the registry says of `service`. Null: the registry was
  // not asked yet, so lookup() must come first.
  Result<SnapshotRef> nodes(std::string_view service, const std::vector<std::string>& addresses);
  Task<Result<void>> lookup(Context& context, std::string_view service);

  // The connections to a node, of which there is one pool however many services list it. release() is the counterpart.
  NodePool& acquire_pool(const registry::Node& node);
  void forget_pool(NodePool& pool);
  // The same for nodes that speak go-micro's own RPC; a route without a node for all others.
  MucpRoute acquire_mucp(const registry::Node& node);
  void forget_mucp(MucpNode& node);

  // For connections that speak TLS: those of the options, or the system's, which are loaded when first needed.
  Result<std::shared_ptr<tls::ClientCredentials>> tls_credentials();

  // Waits for the calls until `deadline`, cancels the rest, and closes everything.
  Task<void> stop(TimePoint deadline);
  // A coroutine that waits for something outside of an HTTP/2 stream listens to this.
  CancelSource& stopping() noexcept { return stopping_; }

  Gate calls;
  Gate connections;
  SlotCounters counters;
  // Nodes whose last attempt to connect failed.
  std::size_t failing_nodes = 0;

  // Memory for whoever needs it until its next suspension.
  std::span<char> scratch() { return std::span(*scratch_); }
  Buffer encoded;
  grpc::FieldList metadata;
  std::vector<http2::Field> fields;

 private:
  std::vector<NodePool*> all_pools() const;
  bool is_secure(const registry::Node& node) const noexcept;
  Result<SnapshotRef> from_target(std::string_view text);
  Result<SnapshotRef> from_addresses(const std::vector<std::string>& addresses);

  static constexpr std::size_t kMostAddressLists = 256;

  Loop& loop_;
  registry::Cache* const registry_;
  const rpc::ClientOptions& options_;
  const codec::ProtoCodec codec_;
  const codec::JsonCodec go_json_;
  std::uint64_t mucp_id_ = 0;
  std::unique_ptr<selector::Selector> selector_;
  std::optional<Error> selector_error_;
  std::unique_ptr<registry::Cache::View> view_;
  std::array<ByName<std::unique_ptr<NodePool>>, 2> pools_;  // plain ones and secure ones, by address
  std::array<ByName<std::unique_ptr<MucpNode>>, 2> mucp_nodes_;
  std::shared_ptr<tls::ClientCredentials> system_tls_;
  ByName<SnapshotRef> services_;
  ByName<SnapshotRef>::value_type* last_service_ = nullptr;
  ByName<SnapshotRef> address_lists_;
  ByName<Target> targets_;
  std::string joined_;
  std::unique_ptr<std::array<char, 64 * 1024>> scratch_;
  CancelSource stopping_;
};

}  // namespace micro::client
