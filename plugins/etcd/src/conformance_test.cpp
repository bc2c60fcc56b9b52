#include <atomic>

#include <micro/registry/conformance.hpp>

#include "etcd_fixture.hpp"

namespace micro::registry::conformance {
namespace {

// One server for the suite; each test has a root of its own.
etcd::EtcdServer& server() {
  static etcd::EtcdServer one;
  return one;
}

class EtcdBackend final : public Backend {
 public:
  std::shared_ptr<Registry> connect() override {
    etcd::Options options;
    options.endpoints = {server().address()};
    options.layout = make_layout("go-micro:" + root_).value();
    return etcd::Registry::make(std::move(options)).value();
  }
  Task<void> advance(Duration duration) override { return sleep_for(duration); }
  // etcd looks for what has run out twice a second.
  Duration shortest_ttl() const override { return std::chrono::seconds(4); }

 private:
  static inline std::atomic<int> count_ = 0;
  const std::string root_ = "/test-" + std::to_string(++count_);
};

std::vector<Subject> subjects() {
  if (!etcd::EtcdServer::installed()) return {};
  return {Subject{"etcd", [] { return std::make_unique<EtcdBackend>(); }}};
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RegistryConformance);
INSTANTIATE_TEST_SUITE_P(Etcd, RegistryConformance, testing::ValuesIn(subjects()), subject_name);

TEST(EtcdConformance, HasAServer) { MICRO_NEEDS_ETCD(); }

}  // namespace
}  // namespace micro::registry::conformance
