#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/registry/conformance.hpp>
#include <micro/registry/local.hpp>

namespace micro::registry {

namespace fs = std::filesystem;
using conformance::ManualTime;
using conformance::one_node;
using conformance::Seen;

// A local registry in a directory of its own, and a loop to use it on.
class LocalFixture : public testing::Test {
 protected:
  LocalFixture() {
    std::string pattern = (fs::temp_directory_path() / "micro-local-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    context_.set_timeout(std::chrono::seconds(60));
  }
  ~LocalFixture() override { fs::remove_all(directory_); }

  std::shared_ptr<Local> connect(std::shared_ptr<const TimeSource> time = nullptr) {
    return std::make_shared<Local>(Local::Options{.directory = directory_.string(), .time = std::move(time)});
  }
  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }
  Result<void> add(Local& local, const Service& service, Duration ttl = {}) {
    const RegisterOptions options{.ttl = ttl};
    return run(local.register_service(context_, service, options));
  }
  std::unique_ptr<Watcher> watch(Local& local, const std::string& service = {}) {
    const WatchOptions options{.service = service};
    return run(local.watch(context_, options)).value();
  }
  Seen next(Watcher& watcher) {
    const auto event = run(watcher.next(context_));
    if (!event) throw std::runtime_error(event.error().to_string());
    return {event->change, event->service.name, event->service.nodes.at(0).id};
  }
  std::vector<std::string> node_ids(Local& local, std::string_view name) {
    std::vector<std::string> ids;
    for (const Service& service : run(local.get_service(context_, name)).value_or(std::vector<Service>{})) {
      for (const Node& node : service.nodes) ids.push_back(node.id);
    }
    return ids;
  }
  static void write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }
  static std::string read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path directory_;
  Loop loop_;
  Context context_;
};

}  // namespace micro::registry
