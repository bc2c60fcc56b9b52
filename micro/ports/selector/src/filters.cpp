#include <algorithm>
#include <utility>

#include <micro/selector/selector.hpp>

namespace micro::selector {
namespace {

class WithVersion final : public Filter {
 public:
  explicit WithVersion(std::string version) : version_(std::move(version)) {}
  bool keep(const Candidate& candidate) const override { return candidate.version == version_; }
  std::string describe() const override { return "version = " + version_; }

 private:
  const std::string version_;
};

class WithLabel final : public Filter {
 public:
  WithLabel(std::string key, std::string value) : key_(std::move(key)), value_(std::move(value)) {}
  bool keep(const Candidate& candidate) const override {
    return std::ranges::any_of(candidate.node.metadata,
                               [&](const auto& label) { return label.first == key_ && label.second == value_; });
  }
  std::string describe() const override { return key_ + " = " + value_; }

 private:
  const std::string key_;
  const std::string value_;
};

class WithAddress final : public Filter {
 public:
  explicit WithAddress(std::string address) : address_(std::move(address)) {}
  bool keep(const Candidate& candidate) const override { return candidate.node.address == address_; }
  std::string describe() const override { return "address = " + address_; }

 private:
  const std::string address_;
};

class WithoutNodes final : public Filter {
 public:
  explicit WithoutNodes(std::vector<std::string> ids) : ids_(std::move(ids)) {}
  bool keep(const Candidate& candidate) const override { return std::ranges::find(ids_, candidate.node.id) == ids_.end(); }
  std::string describe() const override {
    std::string list;
    for (const std::string& id : ids_) list.append(list.empty() ? "" : ", ").append(id);
    return "node not in (" + list + ")";
  }

 private:
  const std::vector<std::string> ids_;
};

}  // namespace

FilterPtr with_version(std::string version) { return std::make_shared<WithVersion>(std::move(version)); }
FilterPtr with_label(std::string key, std::string value) { return std::make_shared<WithLabel>(std::move(key), std::move(value)); }
FilterPtr with_address(std::string address) { return std::make_shared<WithAddress>(std::move(address)); }
FilterPtr without_nodes(std::vector<std::string> ids) { return std::make_shared<WithoutNodes>(std::move(ids)); }

}  // namespace micro::selector
