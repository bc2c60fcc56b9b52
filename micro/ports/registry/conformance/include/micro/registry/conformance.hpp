#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/registry/registry.hpp>
#include <micro/registry/time_source.hpp>

// The conformance suite of the registry port: what every Registry promises, whatever keeps its records. A registry's tests say
//
//   INSTANTIATE_TEST_SUITE_P(Etcd, RegistryConformance, testing::Values(Subject{"etcd", make_etcd}), subject_name);
//
// in namespace micro::registry::conformance, and link micro::registry-conformance.
namespace micro::registry::conformance {

// A time source that moves when told. Thread safety: any thread.
class ManualTime final : public TimeSource {
 public:
  TimePoint now() const noexcept override { return TimePoint(Duration(now_.load())); }
  void advance(Duration duration) { now_.fetch_add(duration.count()); }

 private:
  std::atomic<Duration::rep> now_ = Clock::now().time_since_epoch().count();
};

// What keeps the records: empty when made, gone when destroyed.
class Backend {
 public:
  virtual ~Backend() = default;
  // A registry on these records; all of them see the same.
  virtual std::shared_ptr<Registry> connect() = 0;
  // Lets time pass for records and watchers: moves a ManualTime, or really waits.
  virtual Task<void> advance(Duration duration) = 0;
  // The shortest time to live the suite may use.
  virtual Duration shortest_ttl() const { return std::chrono::seconds(10); }
  // Why RegisterOptions::ttl means nothing here, shown where the suite then skips what is about it. Empty: records run out.
  virtual std::string why_no_ttl() const { return {}; }
  // Why a node can be deregistered only where it was registered. Empty: any registry on the same records may.
  virtual std::string why_own_nodes_only() const { return {}; }
};

struct Subject {
  std::string name;  // for the test's name: letters and digits
  std::function<std::unique_ptr<Backend>()> make;
};

std::string subject_name(const testing::TestParamInfo<Subject>& info);

// What a test looks at in an Event.
struct Seen {
  Change change;
  std::string service;
  std::string node;
  friend bool operator==(const Seen&, const Seen&) = default;
  friend void PrintTo(const Seen& seen, std::ostream* out);
};

class RegistryConformance : public testing::TestWithParam<Subject> {
 protected:
  RegistryConformance();

  // Awaits a task on the test's loop.
  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }
  Result<void> add(const Service& service, Duration ttl = std::chrono::hours(24));
  Result<void> remove(const Service& service);
  Result<std::vector<Service>> get(std::string_view name);
  std::vector<Service> list();
  std::unique_ptr<Watcher> watch(const std::string& service = {});
  // The next `count` events; fewer when they do not come.
  std::vector<Seen> events(Watcher& watcher, std::size_t count);
  // The ids of the nodes of `name`, all versions, in order.
  std::vector<std::string> node_ids(std::string_view name);
  // Shows that `watcher`, which sees all services, has nothing to tell but what is done from now on.
  void expect_quiet(Watcher& watcher);

  Loop loop_;
  Context context_;  // ends after a time no working registry needs
  const std::unique_ptr<Backend> backend_ = GetParam().make();
  const std::shared_ptr<Registry> registry_ = backend_->connect();

 private:
  int quiet_checks_ = 0;
};

// A record with one node: "greeter" "v1" "greeter-1" at "10.0.0.1:80".
Service one_node(const std::string& service, const std::string& id, const std::string& version = "v1",
                 const std::string& address = "10.0.0.1:80");

}  // namespace micro::registry::conformance
