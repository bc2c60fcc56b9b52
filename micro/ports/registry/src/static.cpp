#include <micro/registry/static.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include <micro/loop/loop.hpp>
#include <micro/registry/back_end.hpp>
#include <micro/registry/records.hpp>

#include "static_text.hpp"

namespace micro::registry {
namespace {

constexpr std::string_view kFile = "file:";

// What changes when a file is written or replaced.
using Stamp = std::tuple<dev_t, ino_t, off_t, time_t, long, time_t, long>;

Result<Stamp> stamp_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return fail(from_errno(errno, "cannot read " + path));
  return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
               status.st_ctim.tv_nsec);
}

Result<std::vector<Service>> read_records(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(from_errno(errno != 0 ? errno : EIO, "cannot read " + path));
  const std::string content(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) return fail(from_errno(EIO, "cannot read " + path));
  auto records = records_from_file(content);
  if (!records) return fail(std::move(records.error()).with_context("the records in " + path + " cannot be used"));
  return records;
}

}  // namespace

class Static::State {
 public:
  // A list with what made it, so that a watcher sees with one comparison that nothing is new.
  struct Snapshot {
    std::uint64_t version = 0;
    std::uint64_t failures = 0;
    std::optional<Error> failure;  // why the present file is not used
    std::vector<Service> records;
  };
  class Inbox;

  explicit State(std::vector<Service> records) : path_() { now_.records = std::move(records); }
  State(std::string path, Options options) : path_(std::move(path)), options_(options) {}

  Result<void> first_look() {
    const std::lock_guard lock(mutex_);
    look();
    if (now_.failure) return fail(*now_.failure);
    return {};
  }
  Snapshot snapshot() {
    const std::lock_guard lock(mutex_);
    look();
    return now_;
  }
  std::vector<Service> records(std::string_view name) {
    const std::lock_guard lock(mutex_);
    look();
    std::vector<Service> found;
    for (const Service& record : now_.records) {
      if (name.empty() || record.name == name) found.push_back(record);
    }
    return found;
  }
  const std::string& path() const { return path_; }
  bool changes() const { return !path_.empty(); }
  Duration poll_interval() const { return options_.poll_interval; }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return now_.records.size();
  }

 private:
  void look() {
    if (path_.empty()) return;
    Result<Stamp> stamp = stamp_of(path_);
    if (!stamp) {
      if (!now_.failure || stamp_) fail_with(std::move(stamp.error()));
      stamp_.reset();
      return;
    }
    if (stamp_ == *stamp) return;
    stamp_ = *stamp;
    auto records = read_records(path_);
    if (!records) return fail_with(std::move(records.error()));
    now_.failure.reset();
    now_.records = std::move(*records);
    ++now_.version;
  }
  void fail_with(Error error) {
    ++now_.failures;
    now_.failure.emplace(std::move(error));
  }

  const std::string path_;
  const Options options_;
  std::mutex mutex_;
  std::optional<Stamp> stamp_;
  Snapshot now_;
};

// Feeds a watcher; on its loop.
class Static::State::Inbox {
 public:
  Inbox(Loop& loop, std::string service, std::shared_ptr<State> state, std::shared_ptr<WatchQueue> queue)
      : loop_(loop), service_(std::move(service)), state_(std::move(state)), queue_(std::move(queue)) {}

  void start() {
    if (!state_->changes()) return;
    seen_ = wanted(state_->snapshot());
    wait();
  }
  void stop() { timer_.cancel(); }

 private:
  Snapshot wanted(Snapshot snapshot) const {
    if (!service_.empty()) std::erase_if(snapshot.records, [&](const Service& record) { return record.name != service_; });
    return snapshot;
  }
  void wait() {
    timer_.set(loop_, loop_.now() + state_->poll_interval(), [](void* self) { static_cast<Inbox*>(self)->look(); }, this);
  }
  void look() {
    Snapshot now = wanted(state_->snapshot());
    if (now.version != seen_.version) {
      for (Event& event : differences(seen_.records, now.records)) queue_->push(std::move(event));
    }
    const bool broken = now.failures != seen_.failures && now.failure.has_value();
    if (broken) {
      return queue_->fail(
          unavailable("static registry: " + now.failure->message() + "; its last good records stay").with_cause(*now.failure));
    }
    seen_ = std::move(now);
    wait();
  }

  Loop& loop_;
  const std::string service_;
  const std::shared_ptr<State> state_;
  const std::shared_ptr<WatchQueue> queue_;
  Snapshot seen_;
  Timer timer_;
};

Static::Static(std::vector<Service> services) {
  std::vector<Service> records;
  for (const Service& service : services) {
    for (const Node& node : service.nodes) records.push_back(single_node(service, node));
  }
  state_ = std::make_shared<State>(std::move(records));
}
Static::Static(std::shared_ptr<State> state) : state_(std::move(state)) {}
Static::~Static() = default;

Result<std::shared_ptr<Static>> Static::make(std::string_view text) {
  if (text.starts_with(kFile)) {
    std::string_view path = text.substr(kFile.size());
    if (path.starts_with("///")) path.remove_prefix(2);
    if (path.empty()) return fail(invalid_argument("static registry: \"file:\" needs the path of a file of records"));
    return from_file(std::string(path), Options{});
  }
  auto services = parse(text);
  if (!services) return fail(std::move(services.error()));
  return std::make_shared<Static>(std::move(*services));
}

Result<std::shared_ptr<Static>> Static::from_file(std::string path, Options options) {
  auto state = std::make_shared<State>(std::move(path), options);
  if (auto looked = state->first_look(); !looked) return fail(std::move(looked.error()).with_context("static registry"));
  return std::shared_ptr<Static>(new Static(std::move(state)));
}

std::string Static::describe() const {
  if (state_->changes()) return "static registry in " + state_->path();
  return "static registry of " + std::to_string(state_->size()) + " given nodes";
}

Task<Result<void>> Static::register_service(Context& context, const Service& service, const RegisterOptions&) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (auto checked = check_registrable(service); !checked) co_return checked;
  co_return fail(read_only("register", service.name, describe()));
}

Task<Result<void>> Static::deregister_service(Context& context, const Service& service) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (auto checked = check_deregistrable(service); !checked) co_return checked;
  co_return fail(read_only("deregister", service.name, describe()));
}

Task<Result<std::vector<Service>>> Static::get_service(Context& context, std::string_view name) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (name.empty()) co_return fail(invalid_argument("cannot look up a service without a name"));
  std::vector<Service> found = merge(state_->records(name));
  if (found.empty()) co_return fail(no_node(name, describe()));
  co_return found;
}

Task<Result<std::vector<Service>>> Static::list_services(Context& context) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  co_return merge(state_->records({}));
}

Task<Result<std::unique_ptr<Watcher>>> Static::watch(Context& context, const WatchOptions& options) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  Result<std::shared_ptr<WatchQueue>> queue = WatchQueue::make();
  if (!queue) co_return fail(std::move(queue.error()));
  auto inbox = std::make_shared<State::Inbox>(*Loop::current(), options.service, state_, *queue);
  inbox->start();
  co_return (*queue)->watcher([inbox] { inbox->stop(); });
}

}  // namespace micro::registry
