#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <utility>

#include <micro/registry/conformance.hpp>
#include <micro/registry/local.hpp>
#include <micro/registry/memory.hpp>
#include <micro/registry/multi.hpp>
#include <micro/registry/records.hpp>
#include <micro/registry/static.hpp>

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

// The static registry is read-only: registering here is somebody who writes the file it reads.
class StaticBackend final : public Backend {
 public:
  StaticBackend() {
    std::string pattern = (fs::temp_directory_path() / "micro-static-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    file_->path = directory_ / "services.json";
    file_->write();
  }
  ~StaticBackend() override { fs::remove_all(directory_); }
  std::shared_ptr<Registry> connect() override { return std::make_shared<Editor>(file_); }
  Task<void> advance(Duration) override { co_return; }
  std::string why_no_ttl() const override { return "who writes the records of a static registry takes them out, too"; }

 private:
  struct File {
    void write() {
      std::string text = "[";
      for (const auto& [key, record] : records) text += (text.size() > 1 ? ",\n" : "\n") + to_json(record);
      // Each content has a length of its own: the kernel's clock for files is too coarse to tell two within a few milliseconds.
      text += "]" + std::string(++writes, '\n');
      const fs::path draft = path.string() + ".new";
      std::ofstream(draft) << text;
      fs::rename(draft, path);
    }
    std::mutex mutex;
    fs::path path;
    std::map<std::pair<std::string, std::string>, Service> records;
    std::size_t writes = 0;
  };

  class Editor final : public Registry {
   public:
    explicit Editor(std::shared_ptr<File> file) : file_(std::move(file)) {
      const Static::Options options{.poll_interval = std::chrono::milliseconds(2)};
      registry_ = Static::from_file(file_->path.string(), options).value();
    }
    std::string_view name() const noexcept override { return registry_->name(); }
    std::string describe() const override { return registry_->describe(); }
    Task<Result<void>> register_service(Context& context, const Service& service, const RegisterOptions& options) override {
      const auto refused = co_await registry_->register_service(context, service, options);
      if (refused.error().reason() != kReadOnly) co_return refused;
      const std::lock_guard lock(file_->mutex);
      for (const Node& node : service.nodes) file_->records.insert_or_assign({service.name, node.id}, single_node(service, node));
      file_->write();
      co_return Result<void>{};
    }
    Task<Result<void>> deregister_service(Context& context, const Service& service) override {
      const auto refused = co_await registry_->deregister_service(context, service);
      if (refused.error().reason() != kReadOnly) co_return refused;
      const std::lock_guard lock(file_->mutex);
      for (const Node& node : service.nodes) file_->records.erase({service.name, node.id});
      file_->write();
      co_return Result<void>{};
    }
    Task<Result<std::vector<Service>>> get_service(Context& context, std::string_view name) override {
      return registry_->get_service(context, name);
    }
    Task<Result<std::vector<Service>>> list_services(Context& context) override { return registry_->list_services(context); }
    Task<Result<std::unique_ptr<Watcher>>> watch(Context& context, const WatchOptions& options) override {
      return registry_->watch(context, options);
    }

   private:
    const std::shared_ptr<File> file_;
    std::shared_ptr<Static> registry_;
  };

  fs::path directory_;
  const std::shared_ptr<File> file_ = std::make_shared<File>();
};

// Two registries of different kinds below.
class MultiBackend final : public Backend {
 public:
  std::shared_ptr<Registry> connect() override {
    return std::make_shared<Multi>(std::vector<std::shared_ptr<Registry>>{memory_.connect(), local_.connect()});
  }
  Task<void> advance(Duration duration) override {
    co_await memory_.advance(duration);
    co_await local_.advance(duration);
  }

 private:
  MemoryBackend memory_;
  LocalBackend local_;
};

INSTANTIATE_TEST_SUITE_P(Registry, RegistryConformance,
                         testing::Values(Subject{"memory", [] { return std::make_unique<MemoryBackend>(); }},
                                         Subject{"local", [] { return std::make_unique<LocalBackend>(); }},
                                         Subject{"static", [] { return std::make_unique<StaticBackend>(); }},
                                         Subject{"multi", [] { return std::make_unique<MultiBackend>(); }}),
                         subject_name);

}  // namespace
}  // namespace micro::registry::conformance
