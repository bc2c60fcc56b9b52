// Keys and values of a shared registry in each of the forms others keep them: what a stranger wrote is read or refused; what is
// read can be written, and then names the same service, node and address. The input: a key, a line feed, a value.
#include <micro/registry/layout.hpp>

#include "fuzz.hpp"

namespace {

using namespace micro;

void check(const registry::Layout& layout, std::string_view key, std::string_view value) {
  const auto read = layout.decode(key, value);
  if (!read) return fuzz::require(read.error().code() == Code::kInvalidArgument, "an undocumented code");
  if (!*read) return;
  const registry::Service& service = **read;
  fuzz::require(key.starts_with(layout.prefix({})), "a key of another form was read");
  fuzz::require(service.nodes.size() == 1 && !service.name.empty(), "a record without a name or a single node");
  const registry::Node& node = service.nodes.front();
  fuzz::require(!node.id.empty() && !node.address.empty(), "a node without id or address");
  const auto written = layout.encode(service);
  if (!written) return fuzz::require(written.error().code() == Code::kInvalidArgument, "an undocumented code");
  const std::string own_key = layout.key(service.name, node, 0);
  fuzz::require(own_key.starts_with(layout.prefix(service.name)), "a key outside of its service");
  const auto again = layout.decode(own_key, *written);
  fuzz::require(again && *again, "what was written cannot be read: " + own_key + " " + *written);
  fuzz::require_equal((*again)->name, service.name, "another service");
  fuzz::require_equal((*again)->nodes.front().address, node.address, "another address");
}

}  // namespace

MICRO_FUZZ_TARGET(registry_layout) {
  const std::size_t end = input.find('\n');
  const std::string_view key = input.substr(0, end);
  const std::string_view value = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  for (const char* name : {"go-micro", "kratos", "go-zero", "goms", "go-garden"})
    check(**registry::make_layout(name), key, value);
}
