#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/coro/event.hpp>
#include <micro/coro/gate.hpp>
#include <micro/log/log.hpp>
#include <micro/loop/loop.hpp>
#include <micro/task/task.hpp>

namespace micro::zookeeper {

struct AtomicCounters {
  std::atomic<std::uint64_t> sessions = 0;
  std::atomic<std::uint64_t> restored = 0;
  std::atomic<std::uint64_t> malformed = 0;
};

// One request. Each may be made again when its answer was lost.
struct Request {
  enum class Kind : std::uint8_t {
    kGet,
    kChildren,
    kExists,  // with a watch: told when it is made
    kCreate,
    kSet,
    kDelete,
    kReplace,  // deletes and creates in one step: a record gets another owner and nobody sees it gone
  };
  Kind kind = Kind::kGet;
  std::string path;
  std::string data;
  bool watch = false;
  bool ephemeral = false;
};

struct Answer {
  std::string data;
  std::vector<std::string> children;
  std::int64_t owner = 0;  // the session of an ephemeral node
};

// The connection to ZooKeeper and the session on it. A session that is over is followed by a new one.
//
// The C client gets one server at a time, and a new handle for the next one, on which it resumes the session: with several it can
// fall into asking a dead one thousands of times a second and no other, and a handle that has seen more than a server that lost
// its data knows is refused for ever. Lives on the registry's loop; the client's threads post to it.
class Session {
 public:
  struct Settings {
    std::vector<std::string> servers;
    std::string username;
    std::string password;
    Duration session_timeout;
    Duration timeout;
    std::shared_ptr<log::Logger> logger;
  };
  // Told on the loop. Must not come or go from inside.
  class Observer {
   public:
    virtual ~Observer() = default;
    // Nothing is watched any more: a session has begun, and nothing ephemeral of ours is there; or it is resumed, with all it
    // had.
    virtual void on_session(bool resumed) = 0;
    // Something that is watched has changed; it is watched no more.
    virtual void on_change(std::string_view path) = 0;
  };

  Session(Loop& loop, Settings settings);

  void start() { spawn(run(gate_.enter())); }
  // Ends the session; nobody asks any more.
  Task<void> stop();
  void add(Observer& observer) { observers_.insert(&observer); }
  void remove(Observer& observer) { observers_.erase(&observer); }

  // Errors of one request: NOT_FOUND and ALREADY_EXISTS about its path, PERMISSION_DENIED, UNAUTHENTICATED and others as the
  // server says. Of all: UNAVAILABLE when it cannot be reached in time, and what the context ended with.
  Task<Result<Answer>> ask(Context& context, Request request);
  // Many at once, without waiting for each; answers in the order of the requests.
  Task<Result<std::vector<Result<Answer>>>> ask_all(Context& context, std::vector<Request> requests);

  // The session in use; 0: none.
  std::int64_t id() const noexcept { return identity_.id; }
  std::string describe() const;
  Loop& loop() noexcept { return loop_; }
  log::Logger& logger() noexcept { return *settings_.logger; }
  AtomicCounters counters;

 private:
  struct Handle;
  struct Pending;
  // By which a server knows the session.
  struct Identity {
    std::int64_t id = 0;
    std::string secret;
  };

  Task<void> run(Gate::Holder holder);
  Task<bool> open();
  Task<void> follow();
  Task<void> close();
  void on_state(const std::shared_ptr<Handle>& handle);
  Task<Result<void>> connected(Context& context);
  Task<Result<std::vector<Result<Answer>>>> ask_some(Context& context, const std::vector<Request>& requests);
  std::shared_ptr<Pending> send(const Request& request);
  Error out_of_reach(const Context& context) const;
  Error explain(int code, const Request& request) const;

  Loop& loop_;
  const Settings settings_;
  std::size_t server_;  // the one in use
  std::shared_ptr<Handle> handle_;
  bool connected_ = false;
  bool over_ = false;     // the handle is of no more use
  bool refused_ = false;  // because of the password
  Identity identity_;
  std::optional<TimePoint> silent_since_;  // not connected since then; set whenever connected_ is not
  Event changed_;
  std::set<Observer*> observers_;
  Context life_;
  Gate gate_;
};

}  // namespace micro::zookeeper
