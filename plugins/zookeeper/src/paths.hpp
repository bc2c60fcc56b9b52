#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <micro/error/error.hpp>
#include <micro/registry/layout.hpp>

namespace micro::zookeeper {

// A part of a path as ZooKeeper takes it: what it refuses ("." and "..", control characters, code points it reserves, bytes that
// are no UTF-8) and '/' become %XX.
std::string safe_part(std::string_view part);

// Where a layout's records are in the tree: <root>/<folder>/<leaf>, a folder a service and a leaf a node.
class Paths {
 public:
  // INVALID_ARGUMENT for a layout without folders, or with a root that is no path.
  static Result<Paths> make(std::shared_ptr<const registry::Layout> layout);

  const registry::Layout& layout() const noexcept { return *layout_; }
  // "/micro-registry"
  const std::string& root() const noexcept { return root_; }
  std::string folder(std::string_view service) const;
  std::string leaf(std::string_view service, const registry::Node& node) const;
  std::string path(std::string_view folder) const { return root_ + "/" + std::string(folder); }
  std::string path(std::string_view folder, std::string_view leaf) const { return path(folder).append("/").append(leaf); }

 private:
  Paths(std::shared_ptr<const registry::Layout> layout, std::string root) : layout_(std::move(layout)), root_(std::move(root)) {}
  std::shared_ptr<const registry::Layout> layout_;
  std::string root_;
};

}  // namespace micro::zookeeper
