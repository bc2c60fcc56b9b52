#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/coro/event.hpp>
#include <micro/coro/gate.hpp>
#include <micro/registry/back_end.hpp>
#include <micro/registry/registry.hpp>

#include "reader.hpp"
#include "session.hpp"

namespace micro::zookeeper {

// Feeds one watcher. ZooKeeper tells once that something changed, and not what: each such message marks a place, and each marked
// place is read again, which watches it anew in the same step, so nothing falls between. A lost session is the watcher's end:
// nobody knows what has left and what was only lost with it. Lives on the registry's loop; may be destroyed anywhere once run()
// has ended.
class Follower final : public Session::Observer {
 public:
  Follower(Session& session, Reader& reader, std::string service, std::shared_ptr<registry::WatchQueue> queue)
      : session_(session), reader_(reader), service_(std::move(service)), queue_(std::move(queue)) {}

  // Reads what is there, before run(); the watcher is told nothing of it.
  Task<Result<void>> list(Context& context);
  // Tells the watcher of every change until stop().
  static Task<void> run(std::shared_ptr<Follower> self, Gate::Holder holder);
  void stop();
  // The registry goes away.
  void close();

  void on_session(bool resumed) override;
  void on_change(std::string_view path) override;

 private:
  // Places to read again.
  struct Marks {
    bool root = true;                                      // which folders there are
    bool all = true;                                       // and everything in them
    std::set<std::string> folders;                         // which leaves there are in these
    std::set<std::pair<std::string, std::string>> leaves;  // folder and leaf
    bool empty() const { return !root && !all && folders.empty() && leaves.empty(); }
    void add(const Marks& other);
  };
  // Null: a record of somebody else, or one that cannot be read.
  using Leaves = std::map<std::string, std::optional<registry::Service>>;

  Task<Result<void>> update(Context& context);
  Task<Result<void>> read(Context& context, Marks& marks);
  Task<Result<void>> read_root(Context& context, Marks& marks);
  Task<Result<void>> read_folders(Context& context, Marks& marks);
  Task<Result<void>> read_leaves(Context& context, Marks& marks);
  // A folder, or the root, that is not there: its making is watched. Whether it is there by now.
  Task<Result<bool>> await_making(Context& context, const std::string& path);
  void keep_only(const std::string& folder, const std::vector<std::string>& leaves);
  void put(const std::string& folder, const std::string& leaf, std::optional<registry::Service> record);
  void tell();

  Session& session_;
  Reader& reader_;
  const std::string service_;
  const std::shared_ptr<registry::WatchQueue> queue_;
  Context life_;
  Event marked_;
  Marks marks_;
  std::map<std::string, Leaves> known_;  // by folder
  std::vector<registry::Event> news_;
  std::vector<registry::Event> departures_;
  bool listed_ = false;
  int sessions_ = 0;  // that began meanwhile
};

}  // namespace micro::zookeeper
