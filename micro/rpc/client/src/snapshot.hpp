#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <micro/registry/node_list.hpp>

namespace micro::client {

class MucpNode;
class NodePool;
class Slot;

// A node that speaks go-micro's own RPC and no gRPC.
struct MucpRoute {
  MucpNode* node = nullptr;
  bool legacy = false;  // its record says nothing of a protocol: it knows the codecs of go-micro's first versions
};

// The nodes of a service at one moment, each with its connections. Calls under way hold on to the one they began with. One loop.
class Snapshot {
 public:
  Snapshot(Slot& slot, std::shared_ptr<const registry::NodeList> nodes);
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot();

  const registry::NodeList& nodes() const noexcept { return *nodes_; }
  std::size_t size() const noexcept { return pools_.size(); }
  NodePool& pool(std::size_t index) const noexcept { return *pools_[index]; }
  NodePool& pool(const registry::Candidate& candidate) const noexcept {
    return *pools_[static_cast<std::size_t>(&candidate - nodes_->candidates.data())];
  }
  // nullptr for nodes that speak gRPC.
  const MucpRoute* mucp(const registry::Candidate& candidate) const noexcept {
    if (routes_.empty()) [[likely]]
      return nullptr;
    const MucpRoute& route = routes_[static_cast<std::size_t>(&candidate - nodes_->candidates.data())];
    return route.node == nullptr ? nullptr : &route;
  }

 private:
  friend class SnapshotRef;
  std::shared_ptr<const registry::NodeList> nodes_;
  std::vector<NodePool*> pools_;
  std::vector<MucpRoute> routes_;  // of the nodes, empty when all speak gRPC
  std::uint32_t references_ = 0;
};

// A share in a Snapshot, without the price of an atomic counter.
class SnapshotRef {
 public:
  SnapshotRef() = default;
  explicit SnapshotRef(Snapshot* snapshot) noexcept : snapshot_(snapshot) { acquire(); }
  SnapshotRef(const SnapshotRef& other) noexcept : snapshot_(other.snapshot_) { acquire(); }
  SnapshotRef(SnapshotRef&& other) noexcept : snapshot_(std::exchange(other.snapshot_, nullptr)) {}
  SnapshotRef& operator=(SnapshotRef other) noexcept {
    std::swap(snapshot_, other.snapshot_);
    return *this;
  }
  ~SnapshotRef() {
    if (snapshot_ != nullptr && --snapshot_->references_ == 0) delete snapshot_;
  }
  explicit operator bool() const noexcept { return snapshot_ != nullptr; }
  Snapshot* operator->() const noexcept { return snapshot_; }
  Snapshot& operator*() const noexcept { return *snapshot_; }

 private:
  void acquire() noexcept {
    if (snapshot_ != nullptr) ++snapshot_->references_;
  }
  Snapshot* snapshot_ = nullptr;
};

}  // namespace micro::client
