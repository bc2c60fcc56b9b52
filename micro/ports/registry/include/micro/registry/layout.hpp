#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <micro/error/error.hpp>
#include <micro/registry/record.hpp>

// In whose form a registry of keys and values (etcd, ZooKeeper ...) keeps records, so that programs of other frameworks find ours
// and we find theirs. Pure functions: nothing here talks to anybody.
namespace micro::registry {

// Property of a node whose HTTP listens elsewhere than `address`, in the layouts that tell two ports: "10.0.0.7:9081". Ours
// answer both on one.
inline constexpr std::string_view kHttpAddressProperty = "http_address";

// One form of keys and values. Thread safety: all members from any thread.
class Layout {
 public:
  virtual ~Layout() = default;
  // "go-micro", "kratos", "go-zero", "goms", "go-garden".
  virtual std::string_view name() const noexcept = 0;
  // What of a record this form cannot carry, for people; empty: nothing.
  virtual std::string_view loses() const noexcept = 0;

  // All keys of `service` begin with this, or of all services when it is empty. Others may, too: look at what decode() names.
  virtual std::string prefix(std::string_view service) const = 0;
  // The key of one node. `lease` is the number of the registration, where the registry has such a thing, else 0: go-zero's keys
  // end with it. A node without address is found by the id that decode() gave it.
  virtual std::string key(std::string_view service, const Node& node, std::int64_t lease) const = 0;
  // The value under that key. INVALID_ARGUMENT for a record that would be misread by those who know the form.
  virtual Result<std::string> encode(const Service& record) const = 0;
  // The record, with exactly one node. nullopt: the key is none of this form. INVALID_ARGUMENT: it is, but the value is not.
  virtual Result<std::optional<Service>> decode(std::string_view key, std::string_view value) const = 0;
};

// A layout by name, with what its keys begin with when that is not the usual: "kratos", "kratos:/production", "goms:shop".
// Empty: go-micro. INVALID_ARGUMENT lists the names.
//
//   go-micro   /micro/registry/<service>/<node id>                 the record as JSON
//   kratos     /microservices/<service>/<node id>                  its ServiceInstance as JSON
//   go-zero    <service>/<lease>                                   ip:port
//   goms       goms_<service>_<ip:rpc port>_<ip:http port>         0
//   go-garden  garden_<service>_<ip>:<http port>:<rpc port>        0      (what goms became; the two read each other's keys)
Result<std::shared_ptr<const Layout>> make_layout(std::string_view text);
// "go-micro, kratos, go-zero, goms, go-garden"
std::string layout_names();

}  // namespace micro::registry
