#include <atomic>

#include <micro/registry/conformance.hpp>

#include "zookeeper_fixture.hpp"

namespace micro::registry::conformance {
namespace {

// One server for the suite; each test has a root of its own.
zookeeper::ZookeeperServer& server() {
  static zookeeper::ZookeeperServer one;
  return one;
}

class ZookeeperBackend final : public Backend {
 public:
  std::shared_ptr<Registry> connect() override {
    zookeeper::Options options;
    options.servers = {server().address()};
    options.layout = make_layout("go-micro:" + root_).value();
    return zookeeper::Registry::make(std::move(options)).value();
  }
  Task<void> advance(Duration duration) override { return sleep_for(duration); }
  Duration shortest_ttl() const override { return std::chrono::seconds(2); }

 private:
  static inline std::atomic<int> count_ = 0;
  const std::string root_ = "/test-" + std::to_string(++count_);
};

std::vector<Subject> subjects() {
  if (!zookeeper::ZookeeperServer::installed()) return {};
  return {Subject{"zookeeper", [] { return std::make_unique<ZookeeperBackend>(); }}};
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RegistryConformance);
INSTANTIATE_TEST_SUITE_P(Zookeeper, RegistryConformance, testing::ValuesIn(subjects()), subject_name);

TEST(ZookeeperConformance, HasAServer) { MICRO_NEEDS_ZOOKEEPER(); }

}  // namespace
}  // namespace micro::registry::conformance
