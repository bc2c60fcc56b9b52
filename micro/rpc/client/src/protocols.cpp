#include <micro/client/options.hpp>

#include <micro/http/field.hpp>

namespace micro::rpc {
namespace {

bool lists(std::string_view protocols, std::string_view wanted) {
  std::string_view item;
  while (http::next_list_item(protocols, item)) {
    if (item == wanted) return true;
  }
  return false;
}

}  // namespace

bool speaks_mucp_only(const registry::Node& node) {
  const std::string_view protocol = registry::property(node.metadata, kProtocolProperty);
  // The first versions of go-micro, which did not say.
  const bool legacy = protocol.empty() && registry::property(node.metadata, "server") == "mucp";
  if (protocol != "mucp" && !legacy) return false;
  return !lists(registry::property(node.metadata, kProtocolsProperty), "grpc");
}

}  // namespace micro::rpc
