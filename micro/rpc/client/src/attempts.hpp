#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/client/options.hpp>
#include <micro/error/error.hpp>
#include <micro/retry/retry.hpp>
#include <micro/task/task.hpp>

#include "exchange.hpp"
#include "snapshot.hpp"

namespace micro::client {

// Where the attempts of one call go, and whether there is another one.
//
//   Connection* connection = attempts.begin();
//   while (connection == nullptr && attempts.mucp() == nullptr) {
//     if (Result<void> ready = co_await attempts.ready(); !ready) ...   // the call has failed
//     connection = attempts.take();
//   }
class Attempts {
 public:
  Attempts(const CallInfo& info, std::string_view service, const rpc::CallOptions& options);
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;
  ~Attempts() { settle(selector::Outcome::kUnknown); }

  // A connection for the next attempt if there is one just now, else nullptr: ready() tells why or waits for it.
  Connection* begin();
  // Asks the registry, connects, waits for a free stream, and goes on to other nodes. On success take() is to be called at once.
  Task<Result<void>> ready();
  Connection* take();
  // Set when the node that was chosen speaks go-micro's RPC: begin() and take() have no connection for it then, and ready() does
  // not wait for one.
  const MucpRoute* mucp() const;

  // Tells the selector how the attempt went.
  void mark(const Result<void>& result);
  // Whether the call is tried again: then wait() first, if it is not zero, and begin() anew.
  bool again(Code code, retry::Progress progress);
  Duration wait() const noexcept { return wait_; }
  Task<Result<void>> pause();

  // What the caller is told: a failure on the way says how often it was tried; `error` of the service itself stays as it is.
  Error final_error(const Error& error, bool answered) const;

 private:
  enum class Choice : std::uint8_t { kNode, kUnknownService, kFailed };
  Choice choose();
  Result<const selector::Candidate*> select();
  // The call on the chosen node is over for the selector; once for each node chosen.
  void settle(selector::Outcome outcome);
  Error out_of_time(const Context& bounded) const;
  Duration remaining() const;

  const CallInfo& info_;
  const std::string_view service_;
  const rpc::CallOptions& options_;
  int number_ = 1;
  bool granted_ = false;
  SnapshotRef snapshot_;
  const selector::Candidate* candidate_ = nullptr;  // in snapshot_; null: to be chosen
  std::vector<std::string> tried_;
  selector::Ticket ticket_;  // of candidate_, until it is settled
  Duration wait_{};
  std::optional<Error> error_;
};

}  // namespace micro::client
