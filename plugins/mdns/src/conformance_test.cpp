#include <micro/registry/conformance.hpp>

#include "test_network.hpp"

namespace micro::registry::conformance {
namespace {

class MdnsBackend final : public Backend {
 public:
  std::shared_ptr<Registry> connect() override {
    registries_.push_back(std::make_shared<mdns::Registry>(options_));
    return registries_.back();
  }
  Task<void> advance(Duration duration) override {
    time_->advance(duration);
    for (const auto& registry : registries_) registry->expire();
    co_return;
  }
  std::string why_own_nodes_only() const override {
    return "mDNS has no server: a node is there as long as the process it was registered in answers for it";
  }

 private:
  mdns::Registry::Options options() const {
    mdns::Registry::Options options = mdns::options_of_test();
    options.time = time_;
    return options;
  }
  const std::shared_ptr<ManualTime> time_ = std::make_shared<ManualTime>();
  const mdns::Registry::Options options_ = options();
  std::vector<std::shared_ptr<mdns::Registry>> registries_;
};

// Where there is no multicast there is nothing to test; MdnsNetwork.CarriesMulticast says so.
std::vector<Subject> subjects() {
  if (!mdns::why_no_multicast().empty()) return {};
  return {Subject{"mdns", [] { return std::make_unique<MdnsBackend>(); }}};
}

INSTANTIATE_TEST_SUITE_P(Mdns, RegistryConformance, testing::ValuesIn(subjects()), subject_name);

TEST(MdnsNetwork, CarriesMulticast) {
  if (const std::string why = mdns::why_no_multicast(); !why.empty()) GTEST_SKIP() << "no multicast here: " << why;
}

}  // namespace
}  // namespace micro::registry::conformance
