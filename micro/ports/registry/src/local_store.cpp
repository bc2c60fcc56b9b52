#include "local_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

#include <micro/id/id.hpp>
#include <micro/registry/local.hpp>
#include <micro/registry/records.hpp>
#include <micro/uri/uri.hpp>

#include "record_json.hpp"

namespace micro::registry {
namespace {

constexpr std::string_view kSuffix = ".json";
constexpr std::string_view kTemporaryPrefix = ".tmp-";
constexpr std::size_t kMaxFileName = 255;
constexpr std::size_t kMaxRecordSize = 4 << 20;
constexpr std::time_t kLeftoverAge = 60;
constexpr const char* kExpiry = "expires_ns";  // on Clock, which all processes of a machine share

Result<std::string> file_name(std::string_view name, std::string_view suffix, std::string_view what) {
  std::string encoded = percent_encode(name);
  // "." and ".." are no names, and files that begin with a dot are ours.
  if (encoded.starts_with('.')) encoded.replace(0, 1, "%2E");
  encoded.append(suffix);
  if (encoded.size() <= kMaxFileName) return encoded;
  return fail(invalid_argument(std::string(what) + " is too long for the local registry: " + std::to_string(encoded.size()) +
                               " bytes as a file name, " + std::to_string(kMaxFileName) + " are possible"));
}

Result<std::string> node_file(std::string_view id) { return file_name(id, kSuffix, "a node's id"); }

// mkdir -p: the last directory for the user alone.
int make_directories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (::mkdir(path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES) return errno;
  }
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
}

std::optional<std::string> read_all(int fd, std::size_t size) {
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, text.data() + done, size - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    done += static_cast<std::size_t>(got);
  }
  return text;
}

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

bool out_of_resources(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM || error_number == EINTR;
}

Look unknown_for(int error_number) { return {.state = Look::State::kUnknown, .error = error_number}; }

// A record that says of itself that it stands in this file; nullopt for everything else.
std::optional<LocalRecord> parse_record(std::string_view text, std::string_view folder, std::string_view file) {
  const auto value = parse(text, "record");
  if (!value) return std::nullopt;
  auto service = from_value(*value);
  if (!service || !check_registrable(*service) || service->nodes.size() != 1) return std::nullopt;
  if (LocalStore::folder_name(service->name).value_or("") != folder) return std::nullopt;
  if (node_file(service->nodes.front().id).value_or("") != file) return std::nullopt;
  LocalRecord record{.service = std::move(*service)};
  if (const auto expiry = value->find(kExpiry); expiry != value->end() && expiry->is_number_integer()) {
    record.expiry = TimePoint(Duration(expiry->get<std::int64_t>()));
  }
  return record;
}

template <class F>
Result<std::vector<std::string>> list_directory(const LocalStore& store, const std::string& path, F wanted) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  std::vector<std::string> names;
  if (directory == nullptr) {
    if (errno == ENOENT) return names;
    return fail(store.unusable(errno, "cannot read " + path));
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    if (wanted(*entry)) names.emplace_back(entry->d_name);
  }
  return names;
}

}  // namespace

LocalStore::LocalStore(std::string directory, std::shared_ptr<const TimeSource> time)
    : own_directory_only_(directory.empty()),
      directory_(directory.empty() ? Local::default_directory() : std::move(directory)),
      time_(std::move(time)) {}

Error LocalStore::unusable(int error_number, const std::string& what) const {
  Error cause = from_errno(error_number, what);
  return unavailable("local registry in " + directory_ + ": " + cause.message() +
                     "; name another directory with --registry_address")
      .with_reason("REGISTRY_UNAVAILABLE")
      .with_cause(std::move(cause));
}

Result<void> LocalStore::prepare() const {
  struct stat status{};
  if (::stat(directory_.c_str(), &status) != 0) {
    if (errno != ENOENT) return fail(unusable(errno, "cannot use the directory"));
    if (const int error = make_directories(directory_); error != 0) return fail(unusable(error, "cannot create the directory"));
    if (::stat(directory_.c_str(), &status) != 0) return fail(unusable(errno, "cannot use the directory"));
  }
  if (!S_ISDIR(status.st_mode)) return fail(unusable(ENOTDIR, "cannot use the directory"));
  return own_directory_only_ ? check_own() : Result<void>{};
}

// Anybody can make something of this name in /tmp before we do: a directory of his own, a link to one of ours. And whoever may
// write into it decides where our calls go.
Result<void> LocalStore::check_own() const {
  struct stat status{};
  if (::lstat(directory_.c_str(), &status) != 0) return fail(unusable(errno, "cannot use the directory"));
  if (!S_ISDIR(status.st_mode)) return fail(unusable(ENOTDIR, "the directory is a symbolic link"));
  if (status.st_uid != ::geteuid()) return fail(unusable(EPERM, "the directory belongs to another user"));
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(unusable(EPERM, "other users may write into the directory (chmod go-w " + directory_ + ")"));
  }
  return {};
}

Result<std::string> LocalStore::folder_name(std::string_view service) { return file_name(service, {}, "a service's name"); }

bool LocalStore::is_record_name(std::string_view file) noexcept { return !file.starts_with('.') && file.ends_with(kSuffix); }

std::string LocalStore::path(std::string_view folder) const { return directory_ + "/" + std::string(folder); }

std::string LocalStore::path(std::string_view folder, std::string_view file) const {
  return path(folder) + "/" + std::string(file);
}

Result<std::vector<std::string>> LocalStore::folders() const {
  return list_directory(*this, directory_, [](const dirent& entry) {
    return entry.d_name[0] != '.' && (entry.d_type == DT_DIR || entry.d_type == DT_UNKNOWN);
  });
}

Result<std::vector<std::string>> LocalStore::files(std::string_view folder) const {
  return list_directory(*this, path(folder), [&](const dirent& entry) {
    const std::string_view name = entry.d_name;
    if (name.starts_with(kTemporaryPrefix)) remove_leftover(folder, name);
    return is_record_name(name);
  });
}

Look LocalStore::look(std::string_view folder, std::string_view file) const {
  const std::string name = path(folder, file);
  for (;;) {
    const Fd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) return out_of_resources(errno) ? unknown_for(errno) : Look{};
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    if (status.st_size <= 0 || static_cast<std::size_t>(status.st_size) > kMaxRecordSize) return {};
    const auto text = read_all(fd.get(), static_cast<std::size_t>(status.st_size));
    auto record = text ? parse_record(*text, folder, file) : std::nullopt;
    if (!record) return {};
    if (::flock(fd.get(), LOCK_SH | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return unknown_for(errno);
      const bool valid = !record->expiry || *record->expiry > now();
      return {.state = valid ? Look::State::kAlive : Look::State::kHidden, .record = std::move(*record)};
    }
    // Not locked: dead, unless its owner has replaced or removed it since we opened it.
    struct stat present{};
    if (::stat(name.c_str(), &present) != 0) {
      return errno == ENOENT ? Look{} : unknown_for(errno);
    }
    if (present.st_ino != status.st_ino || present.st_dev != status.st_dev) continue;
    if (remove_dead(folder, file)) return {.state = Look::State::kDead, .record = std::move(*record)};
  }
}

// False when a living record has come in its place.
bool LocalStore::remove_dead(std::string_view folder, std::string_view file) const {
  const std::string folder_path = path(folder);
  const Fd guard(::open(folder_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Somebody else is at it, or may: it is dead all the same.
  if (!guard || ::flock(guard.get(), LOCK_EX | LOCK_NB) != 0) return true;
  const std::string name = path(folder, file);
  const Fd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return true;
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) != 0) return false;
  ::unlink(name.c_str());
  return true;
}

// What a process left that ended between writing a record and naming it.
void LocalStore::remove_leftover(std::string_view folder, std::string_view file) const {
  const std::string name = path(folder, file);
  struct stat status{};
  if (::lstat(name.c_str(), &status) != 0 || status.st_mtime > std::time(nullptr) - kLeftoverAge) return;
  const Fd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd && ::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) ::unlink(name.c_str());
}

Result<std::vector<Service>> LocalStore::records(std::string_view folder) const {
  auto names = files(folder);
  if (!names) return fail(std::move(names.error()));
  std::vector<Service> found;
  for (const std::string& file : *names) {
    Look seen = look(folder, file);
    if (seen.state == Look::State::kUnknown) return fail(unusable(seen.error, "cannot open " + path(folder, file)));
    if (seen.state == Look::State::kAlive) found.push_back(std::move(seen.record.service));
  }
  return found;
}

Result<LocalStore::Draft> LocalStore::draft(const Service& single, Duration ttl) const {
  if (auto prepared = prepare(); !prepared) return fail(std::move(prepared.error()));
  auto folder = folder_name(single.name);
  if (!folder) return fail(std::move(folder.error()));
  auto file = node_file(single.nodes.front().id);
  if (!file) return fail(std::move(file.error()));

  nlohmann::ordered_json value = to_value(single);
  if (ttl > Duration::zero()) value[kExpiry] = (now() + ttl).time_since_epoch().count();
  const std::string text = dump(value);

  const std::string folder_path = path(*folder);
  if (::mkdir(folder_path.c_str(), 0700) == 0) {
    // Whoever may write into the directory may add nodes to the service.
    struct stat status{};
    if (::stat(directory_.c_str(), &status) == 0) ::chmod(folder_path.c_str(), status.st_mode & 07777);
  } else if (errno != EEXIST) {
    return fail(unusable(errno, "cannot create " + folder_path));
  }
  Draft draft{.folder = std::move(*folder), .file = std::move(*file), .temporary = std::string(kTemporaryPrefix) + random_hex(8)};
  const std::string temporary = path(draft.folder, draft.temporary);
  draft.fd = Fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!draft.fd) return fail(unusable(errno, "cannot create " + temporary));
  int error = ::flock(draft.fd.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  if (error == 0) error = write_all(draft.fd.get(), text);
  if (error != 0) {
    ::unlink(temporary.c_str());
    return fail(unusable(error, "cannot write " + temporary));
  }
  return draft;
}

Result<bool> LocalStore::publish(Draft& draft, bool force) {
  const std::string folder_path = path(draft.folder);
  const Fd guard(::open(folder_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (guard && ::flock(guard.get(), LOCK_SH | LOCK_NB) != 0 && !force) return false;

  const std::string temporary = path(draft.folder, draft.temporary);
  const std::string name = path(draft.folder, draft.file);
  const std::lock_guard lock(mutex_);
  if (::rename(temporary.c_str(), name.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return fail(unusable(error, "cannot create " + name));
  }
  // Only now may the lock of the former record go.
  held_[{draft.folder, draft.file}] = std::move(draft.fd);
  return true;
}

Result<void> LocalStore::remove(const Service& service) {
  auto folder = folder_name(service.name);
  if (!folder) return fail(std::move(folder.error()));
  for (const Node& node : service.nodes) {
    auto file = node_file(node.id);
    if (!file) return fail(std::move(file.error()));
    const std::string name = path(*folder, *file);
    const std::lock_guard lock(mutex_);
    if (::unlink(name.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) return fail(unusable(errno, "cannot remove " + name));
    held_.erase({*folder, *file});
  }
  return {};
}

void LocalStore::release() {
  const std::lock_guard lock(mutex_);
  held_.clear();
}

}  // namespace micro::registry
