#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <micro/registry/conformance.hpp>
#include <micro/registry/local.hpp>
#include <micro/registry/memory.hpp>

namespace micro::registry::conformance {
namespace {

namespace fs = std::filesystem;

class MemoryBackend final : public Backend {
 public:
  std::shared_ptr<Registry> connect() override { return registry_; }
  Task<void> advance(Duration duration) override {
    time_->advance(duration);
    registry_->expire();
    co_return;
  }

 private:
  const std::shared_ptr<ManualTime> time_ = std::make_shared<ManualTime>();
  const std::shared_ptr<Memory> registry_ = std::make_shared<Memory>(Memory::Options{.time = time_});
};

class LocalBackend final : public Backend {
 public:
  LocalBackend() {
    std::string pattern = (fs::temp_directory_path() / "micro-local-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LocalBackend() override { fs::remove_all(directory_); }
  std::shared_ptr<Registry> connect() override {
    return std::make_shared<Local>(Local::Options{.directory = directory_.string(), .time = time_});
  }
  Task<void> advance(Duration duration) override {
    time_->advance(duration);
    // Anything that happens in a folder makes its watchers look at the time.
    for (const auto& folder : fs::directory_iterator(directory_)) std::ofstream(folder.path() / "nudge") << "time has passed";
    co_return;
  }

 private:
  fs::path directory_;
  const std::shared_ptr<ManualTime> time_ = std::make_shared<ManualTime>();
};

INSTANTIATE_TEST_SUITE_P(Registry, RegistryConformance,
                         testing::Values(Subject{"memory", [] { return std::make_unique<MemoryBackend>(); }},
                                         Subject{"local", [] { return std::make_unique<LocalBackend>(); }}),
                         subject_name);

}  // namespace
}  // namespace micro::registry::conformance
