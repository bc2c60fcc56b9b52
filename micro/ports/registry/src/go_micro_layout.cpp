#include <algorithm>
#include <cstdint>

#include "layouts.hpp"

namespace micro::registry {
namespace {

std::string dashed(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '/', '-');
  return text;
}

std::string hex(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; value >>= 4) text[i] = kDigits[value & 15];
  return text;
}

class GoMicroLayout final : public Layout {
 public:
  explicit GoMicroLayout(std::string root) : root_(root.empty() ? "/micro/registry" : std::move(root)) {}

  std::string_view name() const noexcept override { return "go-micro"; }
  std::string_view loses() const noexcept override { return {}; }

  std::string prefix(std::string_view service) const override {
    return service.empty() ? root_ + "/" : root_ + "/" + dashed(service) + "/";
  }

  // go-micro writes '-' for '/', which makes "a/b" and "a-b" one key. Its readers look at the folder and at the value alone, so
  // the last part can tell them apart.
  std::string key(std::string_view service, const Node& node, std::int64_t) const override {
    std::string key = prefix(service) + dashed(node.id);
    if (service.contains('/') || node.id.contains('/')) {
      std::string exact(service);
      exact.append(1, '\0').append(node.id);
      key += "-" + hex(stable_hash(exact));
    }
    return key;
  }

  Result<std::string> encode(const Service& record) const override { return to_json(record); }

  Result<std::optional<Service>> decode(std::string_view key, std::string_view value) const override {
    if (!key.starts_with(prefix({}))) return std::optional<Service>();
    Result<Service> record = from_json(value);
    if (!record) return fail(malformed(name(), key, record.error().message()));
    if (record->nodes.empty()) return fail(malformed(name(), key, "it has no node"));
    record->nodes.resize(1);
    if (record->nodes.front().id.empty()) return fail(malformed(name(), key, "its node has no id"));
    if (record->nodes.front().address.empty()) return fail(malformed(name(), key, "its node has no address"));
    return std::optional<Service>(std::move(*record));
  }

 private:
  const std::string root_;
};

}  // namespace

std::shared_ptr<const Layout> make_go_micro_layout(std::string root) { return std::make_shared<GoMicroLayout>(std::move(root)); }

}  // namespace micro::registry
