#include "local_watcher.hpp"

#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include <micro/coro/deadline.hpp>
#include <micro/loop/fd_watch.hpp>

#include "ended.hpp"

namespace micro::registry {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kRootMask = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// IN_EXCL_UNLINK: when a record is replaced its owner closes the former file, which is no news.
constexpr std::uint32_t kFolderMask = IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR | IN_EXCL_UNLINK;
// The kernel tells that a file was closed a moment before it lets go of its lock.
constexpr std::array<Duration, 5> kSecondLooks{milliseconds(1), milliseconds(5), milliseconds(25), milliseconds(125),
                                               milliseconds(625)};

class LocalWatch {
 public:
  LocalWatch(Loop& loop, std::shared_ptr<LocalStore> store) : loop_(loop), store_(std::move(store)) {}

  Result<void> start(const std::string& service);
  void stop() {
    stopped_ = true;
    nudge();
  }
  // Takes a share of itself, so that the watcher may be destroyed while somebody waits.
  static Task<Result<Event>> next(std::shared_ptr<LocalWatch> self, Context& context);

 private:
  using File = std::pair<std::string, std::string>;  // folder, name

  static void nudge(void* self) { static_cast<LocalWatch*>(self)->nudge(); }
  void nudge() {
    if (watch_) watch_->cancel();
  }
  void fail_with(Error error) {
    if (!failure_) failure_.emplace(std::move(error));
  }

  void read_notifications();
  void on_root(const inotify_event& event);
  void on_folder(const inotify_event& event);
  void add_folder(const std::string& folder);
  void look_everywhere();
  void look_into(const std::string& folder);
  void look_at(const File& file);
  void look_again();
  void hide_expired();
  void set_timer();
  void tell(Change change, Service service) { events_.push_back({.change = change, .service = std::move(service)}); }

  Loop& loop_;
  const std::shared_ptr<LocalStore> store_;
  std::string only_folder_;  // empty: all
  Fd inotify_;
  std::optional<FdWatch> watch_;
  int root_ = -1;
  std::map<int, std::string> folders_;  // by inotify's watch descriptor
  std::map<File, LocalRecord> known_;
  std::set<File> suspects_;  // closed by their owner and locked still
  std::size_t looks_ = 0;    // how often we looked again at the suspects
  TimePoint next_look_{};
  Timer timer_;
  std::deque<Event> events_;
  std::optional<Error> failure_;
  bool stopped_ = false;
};

Result<void> LocalWatch::start(const std::string& service) {
  if (!service.empty()) {
    auto folder = LocalStore::folder_name(service);
    if (!folder) return fail(std::move(folder.error()));
    only_folder_ = std::move(*folder);
  }
  if (auto prepared = store_->prepare(); !prepared) return prepared;
  inotify_ = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_) return fail(store_->unusable(errno, "cannot watch for changes (fs.inotify.max_user_instances)"));
  root_ = ::inotify_add_watch(inotify_.get(), store_->directory().c_str(), kRootMask);
  if (root_ < 0) return fail(store_->unusable(errno, "cannot watch the directory (fs.inotify.max_user_watches)"));
  try {
    watch_.emplace(loop_, inotify_.get());
  } catch (const std::system_error& error) {
    return fail(store_->unusable(error.code().value(), "cannot watch for changes"));
  }
  look_everywhere();
  // What was there before is no change.
  events_.clear();
  if (failure_) return fail(std::move(*failure_));
  return {};
}

Task<Result<Event>> LocalWatch::next(std::shared_ptr<LocalWatch> self, Context& context) {
  const ContextDeadline deadline(context, self->loop_);
  CancelCallback cancelled;
  cancelled.link(context.cancellation(), [](void* watch, const Error&) { nudge(watch); }, self.get());
  for (;;) {
    if (self->stopped_) co_return fail(watcher_stopped());
    if (auto reason = watch_ended(context)) co_return fail(std::move(*reason));
    if (!self->events_.empty()) {
      Event event = std::move(self->events_.front());
      self->events_.pop_front();
      co_return event;
    }
    if (self->failure_) co_return fail(*self->failure_);
    self->read_notifications();
    self->look_again();
    self->hide_expired();
    if (!self->events_.empty() || self->failure_) continue;
    self->set_timer();
    (void)co_await self->watch_->readable();
    self->timer_.cancel();
  }
}

void LocalWatch::read_notifications() {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    for (std::size_t offset = 0; offset < static_cast<std::size_t>(size);) {
      const auto& event = *reinterpret_cast<const inotify_event*>(buffer.data() + offset);
      offset += sizeof(inotify_event) + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0)
        look_everywhere();
      else if (event.wd == root_)
        on_root(event);
      else
        on_folder(event);
    }
  }
}

void LocalWatch::on_root(const inotify_event& event) {
  if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
    return fail_with(store_->unusable(ENOENT, "the directory was removed while it was watched"));
  }
  if ((event.mask & IN_ISDIR) != 0 && event.len > 0) add_folder(event.name);
}

void LocalWatch::on_folder(const inotify_event& event) {
  const auto found = folders_.find(event.wd);
  if (found == folders_.end()) return;
  const std::string folder = found->second;
  if ((event.mask & IN_IGNORED) != 0) {
    folders_.erase(found);
    return look_into(folder);
  }
  if (event.len == 0 || !LocalStore::is_record_name(event.name)) return;
  const File file{folder, event.name};
  look_at(file);
  if ((event.mask & IN_CLOSE_WRITE) != 0 && known_.contains(file)) {
    suspects_.insert(file);
    looks_ = 0;
    next_look_ = loop_.now() + kSecondLooks[0];
  }
}

void LocalWatch::add_folder(const std::string& folder) {
  if (folder.starts_with('.') || (!only_folder_.empty() && folder != only_folder_)) return;
  const int wd = ::inotify_add_watch(inotify_.get(), store_->path(folder).c_str(), kFolderMask);
  if (wd >= 0) {
    folders_.insert_or_assign(wd, folder);
    return look_into(folder);
  }
  // Gone again, or no folder of ours.
  if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return;
  fail_with(store_->unusable(errno, "cannot watch " + store_->path(folder) + " (fs.inotify.max_user_watches)"));
}

void LocalWatch::look_everywhere() {
  const auto folders = store_->folders();
  if (!folders) return fail_with(folders.error());
  for (const std::string& folder : *folders) add_folder(folder);
  // Those that have lost their folder.
  std::set<std::string> orphans;
  for (const auto& [file, record] : known_) {
    if (std::ranges::find(*folders, file.first) == folders->end()) orphans.insert(file.first);
  }
  for (const std::string& folder : orphans) look_into(folder);
}

void LocalWatch::look_into(const std::string& folder) {
  const auto names = store_->files(folder);
  if (!names) return fail_with(names.error());
  std::set<File> files;
  for (const std::string& name : *names) files.emplace(folder, name);
  for (const auto& [file, record] : known_) {
    if (file.first == folder) files.insert(file);
  }
  for (const File& file : files) look_at(file);
}

void LocalWatch::look_at(const File& file) {
  Look seen = store_->look(file.first, file.second);
  if (seen.state == Look::State::kUnknown) {
    return fail_with(store_->unusable(seen.error, "cannot open " + store_->path(file.first, file.second)));
  }
  const auto found = known_.find(file);
  if (seen.state == Look::State::kAlive) {
    if (found == known_.end()) {
      tell(Change::kCreate, seen.record.service);
    } else if (found->second.service != seen.record.service) {
      tell(Change::kUpdate, seen.record.service);
    }
    known_.insert_or_assign(file, std::move(seen.record));
  } else if (found != known_.end()) {
    tell(Change::kDelete, std::move(found->second.service));
    known_.erase(found);
  }
}

void LocalWatch::look_again() {
  if (suspects_.empty() || loop_.now() < next_look_) return;
  for (const File& file : suspects_) look_at(file);
  std::erase_if(suspects_, [&](const File& file) { return !known_.contains(file); });
  if (++looks_ == kSecondLooks.size())
    suspects_.clear();
  else
    next_look_ = loop_.now() + kSecondLooks[looks_];
}

void LocalWatch::hide_expired() {
  const TimePoint now = store_->now();
  std::vector<File> expired;
  for (const auto& [file, record] : known_) {
    if (record.expiry && *record.expiry <= now) expired.push_back(file);
  }
  for (const File& file : expired) look_at(file);
}

void LocalWatch::set_timer() {
  std::optional<TimePoint> when;
  if (!suspects_.empty()) when = next_look_;
  const Duration shift = loop_.now() - store_->now();
  for (const auto& [file, record] : known_) {
    if (record.expiry && (!when || *record.expiry + shift < *when)) when = *record.expiry + shift;
  }
  if (when) timer_.set(loop_, *when, &nudge, this);
}

class LocalWatcher final : public Watcher {
 public:
  explicit LocalWatcher(std::shared_ptr<LocalWatch> watch) : watch_(std::move(watch)) {}
  ~LocalWatcher() override { watch_->stop(); }
  Task<Result<Event>> next(Context& context) override { return LocalWatch::next(watch_, context); }
  void stop() override { watch_->stop(); }

 private:
  const std::shared_ptr<LocalWatch> watch_;
};

}  // namespace

Result<std::unique_ptr<Watcher>> make_local_watcher(Loop& loop, std::shared_ptr<LocalStore> store, const std::string& service) {
  auto watch = std::make_shared<LocalWatch>(loop, std::move(store));
  if (auto started = watch->start(service); !started) return fail(std::move(started.error()));
  return std::make_unique<LocalWatcher>(std::move(watch));
}

}  // namespace micro::registry
