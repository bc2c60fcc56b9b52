#include <algorithm>

#include <micro/uri/uri.hpp>

#include "layouts.hpp"

namespace micro::registry {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_host_and_port(std::string_view text) {
  const Result<Address> address = Address::parse(text);
  return address && !address->is_unix() && !address->host.empty() && address->port != 0;
}

// A key is whatever the configuration of a go-zero service says, so there is no folder of all services unless a root is given.
class GoZeroLayout final : public Layout {
 public:
  explicit GoZeroLayout(std::string root) : root_(std::move(root)) {}

  std::string_view name() const noexcept override { return "go-zero"; }
  std::string_view loses() const noexcept override {
    return "the version, all metadata, the descriptions of methods and node ids";
  }

  std::string prefix(std::string_view service) const override {
    return service.empty() ? root_ : root_ + std::string(service) + "/";
  }

  // Without a lease the number is made of the id, as a publisher with an id of its own has it.
  std::string key(std::string_view service, const Node& node, std::int64_t lease) const override {
    if (lease > 0) return prefix(service) + std::to_string(lease);
    if (all_digits(node.id)) return prefix(service) + node.id;
    return prefix(service) + std::to_string(stable_hash(node.id) >> 1 | 1);
  }

  Result<std::string> encode(const Service& record) const override {
    const std::string& address = record.nodes.front().address;
    if (!is_host_and_port(address)) return fail(cannot_carry(name(), record, "\"" + address + "\" is no host with a port"));
    return address;
  }

  Result<std::optional<Service>> decode(std::string_view key, std::string_view value) const override {
    const std::size_t slash = key.rfind('/');
    if (!key.starts_with(root_) || slash == std::string_view::npos || slash <= root_.size()) return std::optional<Service>();
    const std::string_view service = key.substr(root_.size(), slash - root_.size());
    const std::string_view id = key.substr(slash + 1);
    if (!all_digits(id)) return std::optional<Service>();
    if (!is_host_and_port(value)) return fail(malformed(name(), key, "it is no host with a port"));
    return std::optional<Service>(
        Service{.name = std::string(service), .nodes = {{.id = std::string(id), .address = std::string(value)}}});
  }

 private:
  const std::string root_;
};

}  // namespace

std::shared_ptr<const Layout> make_go_zero_layout(std::string root) { return std::make_shared<GoZeroLayout>(std::move(root)); }

}  // namespace micro::registry
