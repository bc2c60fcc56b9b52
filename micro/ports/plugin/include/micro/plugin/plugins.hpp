#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/error/error.hpp>

namespace micro::registry {
class Registry;
}

namespace micro {

// What flags say about a registry, besides its name. Passwords and tokens are never among it: back ends read them from variables
// of their own or from files.
struct RegistryConfig {
  // Where it is, as the user wrote it: "10.0.0.1:2379,10.0.0.2:2379". Empty: the registry's own default.
  std::string address;
  // In whose form records are kept, for registries that several frameworks share: "go-micro", "kratos" ... Empty: the registry's
  // own default.
  std::string layout;
};

// The components a program can choose by name, from a flag, the environment or a file: an explicit table, filled by whoever puts
// the program together. Plugins add themselves through a function of theirs: `etcd::install(plugins)`. Nothing registers by
// itself, so what a program has is what its main() says.
//
// Thread safety: fill it first, then any thread may read.
class Plugins {
 public:
  // INVALID_ARGUMENT for a config the registry cannot use. Does not connect.
  using RegistryFactory = Result<std::shared_ptr<registry::Registry>> (*)(const RegistryConfig& config);

  // Has the registries that need nothing else: "local", "memory", "static"; and "multi", made of the others: its address names
  // them, "etcd@10.0.0.1:2379;mdns". Each part is <name>[+<layout>][@<address>]; an address with a ; in it is put into
  // parentheses.
  Plugins();

  // A second registry of one name is ALREADY_EXISTS.
  Result<void> add_registry(std::string name, RegistryFactory factory);
  // INVALID_ARGUMENT for an unknown name, listing the known ones; otherwise what the factory says.
  Result<std::shared_ptr<registry::Registry>> make_registry(std::string_view name, const RegistryConfig& config) const;
  // "local, memory, static, multi": for help texts.
  std::string registry_names() const;

 private:
  Result<std::shared_ptr<registry::Registry>> make_multi(const RegistryConfig& config) const;
  std::vector<std::pair<std::string, RegistryFactory>> registries_;
};

}  // namespace micro
