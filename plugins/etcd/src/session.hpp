#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/client/client.hpp>
#include <micro/codecs/protobuf.hpp>
#include <micro/coro/gate.hpp>
#include <micro/coro/mutex.hpp>
#include <micro/etcd/registry.hpp>
#include <micro/log/log.hpp>
#include <micro/loop/group.hpp>
#include <micro/task/task.hpp>

#include "counters.hpp"

namespace micro::etcd {

struct Method {
  std::string_view service;
  std::string_view name;
};
inline constexpr Method kRange{"etcdserverpb.KV", "Range"};
inline constexpr Method kDeleteRange{"etcdserverpb.KV", "DeleteRange"};
inline constexpr Method kTxn{"etcdserverpb.KV", "Txn"};
inline constexpr Method kLeaseGrant{"etcdserverpb.Lease", "LeaseGrant"};
inline constexpr Method kLeaseRevoke{"etcdserverpb.Lease", "LeaseRevoke"};
inline constexpr Method kLeaseKeepAlive{"etcdserverpb.Lease", "LeaseKeepAlive"};
inline constexpr Method kWatch{"etcdserverpb.Watch", "Watch"};
inline constexpr Method kAuthenticate{"etcdserverpb.Auth", "Authenticate"};

// Asks etcd: which endpoint, with what token, for how long. What it asks may be repeated, so a request that one endpoint does not
// answer goes to the next. Lives on the registry's loop.
class Session {
 public:
  struct Settings {
    std::vector<std::string> addresses;
    std::string username;
    std::string password;
    Duration timeout;
    Duration probe_interval;
    rpc::ClientOptions client;
    std::shared_ptr<log::Logger> logger;
  };
  Session(LoopGroup& loops, Settings settings);

  // Errors: UNAVAILABLE naming all endpoints when none answered; what the context ended with; what etcd said.
  template <codec::GeneratedMessage Request, codec::GeneratedMessage Reply>
  Task<Result<void>> call(Context& context, Method method, const Request& request, Reply& reply) {
    return unary(context, method, codec::ref(request), codec::ref(reply));
  }
  // Renews a lease; the seconds it has now, 0 when there is no such lease.
  Task<Result<std::int64_t>> keep_alive(Context& context, std::int64_t lease);

  // A stream to the endpoint in use. The context is changed, must outlive the stream, and ends it.
  struct Opened {
    std::unique_ptr<rpc::ClientStream> stream;
    std::size_t endpoint;
  };
  Task<Result<Opened>> open(Context& context, Method method);
  // That endpoint failed: the next one is used from now on.
  void turn_away(std::size_t endpoint);
  // The server has lost its data: told once, though every watcher finds out.
  void note_lost_data();
  // The token was refused: the next request fetches another.
  void forget_token() { token_.clear(); }

  // Held by whoever has a stream open: its context is cancelled when the endpoint has stopped answering.
  class Lifeline {
   public:
    Lifeline(Session& session, std::size_t endpoint, Context& context);
    Lifeline(const Lifeline&) = delete;
    Lifeline& operator=(const Lifeline&) = delete;
    ~Lifeline();

   private:
    friend class Session;
    Session& session_;
    const std::size_t endpoint_;
    Context& context_;
  };

  // Begins to look after those who hold a lifeline.
  void start() { spawn(probe(gate_.enter())); }
  Task<void> stop();

  std::string describe() const;
  Loop& loop() noexcept { return loop_; }
  log::Logger& logger() noexcept { return *settings_.logger; }
  Duration timeout() const noexcept { return settings_.timeout; }
  AtomicCounters counters;

 private:
  // One try at one endpoint.
  class Try;
  class UnaryTry;
  class KeepAliveTry;
  struct Tried;

  Task<Result<void>> unary(Context& context, Method method, codec::MessageRef request, codec::MessageRef reply);
  Task<Result<void>> ask(Context& context, Try& what, bool with_token);
  Task<Tried> try_once(Context& context, std::size_t endpoint, Try& what, std::string token);
  Task<Result<std::string>> token(Context& context);
  Task<void> probe(Gate::Holder holder);
  // What etcd said, for people.
  Error explain(const Error& error) const;
  bool token_refused(const Error& error);
  void note(const Result<void>& outcome);

  Loop& loop_;
  const Settings settings_;
  rpc::Client client_;
  std::size_t current_ = 0;  // the endpoint in use
  std::string token_;
  bool auth_is_off_ = false;  // the server wants no tokens
  Mutex login_;
  std::vector<Lifeline*> lifelines_;
  Context life_;
  Gate gate_;
  bool answered_ = false;  // once at least
  bool failing_ = false;
  std::optional<TimePoint> loss_told_;
};

}  // namespace micro::etcd
