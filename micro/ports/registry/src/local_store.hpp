#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/registry/record.hpp>
#include <micro/registry/time_source.hpp>

#include "fd.hpp"

// The files of the local registry: how records are written, found alive or dead, and removed. No loops, no waiting.
//
// <directory>/<service>/<node id>.json. The owner of a record holds an exclusive flock on the file; the lock is taken before the
// file gets its name, so a named file without a lock has lost its owner. Who removes such a file holds an exclusive flock on the
// folder, who gives a file its name a shared one: a record that comes in place of a dead one is never removed in its stead.
namespace micro::registry {

// One record as it stands in its file.
struct LocalRecord {
  Service service;                  // with one node
  std::optional<TimePoint> expiry;  // none: as long as its owner lives
};

// What a look at one file found.
struct Look {
  enum class State {
    kNothing,  // no file, or one that is not a record
    kAlive,    // `record` is valid
    kHidden,   // its owner holds it but its time has run out
    kDead,     // its owner is gone; the file has been removed if that was possible
    kUnknown,  // could not be looked at just now (out of file descriptors)
  };
  State state = State::kNothing;
  LocalRecord record;
  int error = 0;  // of kUnknown
};

class LocalStore {
 public:
  // An empty `directory` is the default one, which must belong to the user, and which nobody else may write into.
  LocalStore(std::string directory, std::shared_ptr<const TimeSource> time);

  const std::string& directory() const noexcept { return directory_; }
  TimePoint now() const noexcept { return time_ != nullptr ? time_->now() : Clock::now(); }
  // Makes sure that the directory is there. All errors of this class about the directory are made by unusable().
  Result<void> prepare() const;
  Error unusable(int error_number, const std::string& what) const;

  // The name of a service's folder; INVALID_ARGUMENT when it would be too long for the file system.
  static Result<std::string> folder_name(std::string_view service);
  static bool is_record_name(std::string_view file) noexcept;
  std::string path(std::string_view folder) const;
  std::string path(std::string_view folder, std::string_view file) const;

  // The folders there are, and the record files in one; a folder that is not there has none.
  Result<std::vector<std::string>> folders() const;
  Result<std::vector<std::string>> files(std::string_view folder) const;
  Look look(std::string_view folder, std::string_view file) const;
  // The living records of a folder.
  Result<std::vector<Service>> records(std::string_view folder) const;

  // A record written and locked, without its name yet.
  struct Draft {
    std::string folder;
    std::string file;
    std::string temporary;
    Fd fd;
  };
  Result<Draft> draft(const Service& single, Duration ttl) const;
  // Gives it its name, in place of a former record, and holds it from now on. False when somebody is just removing a dead record
  // from the folder: try again soon. `force` does not wait for them.
  Result<bool> publish(Draft& draft, bool force);
  // Removes the records of the nodes, whoever owns them.
  Result<void> remove(const Service& service);
  // Lets go of all records held, which ends them.
  void release();

 private:
  Result<void> check_own() const;
  bool remove_dead(std::string_view folder, std::string_view file) const;
  void remove_leftover(std::string_view folder, std::string_view file) const;

  const bool own_directory_only_;
  const std::string directory_;
  const std::shared_ptr<const TimeSource> time_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Fd> held_;  // (folder, file): the locked descriptors of our own records
};

}  // namespace micro::registry
