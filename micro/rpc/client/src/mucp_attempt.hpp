#pragma once

#include <micro/codec/message.hpp>
#include <micro/error/error.hpp>
#include <micro/retry/retry.hpp>
#include <micro/task/task.hpp>

#include "mucp_messages.hpp"
#include "snapshot.hpp"

namespace micro::client {

// One attempt of a unary call in go-micro's own RPC: one request and one response on a connection of its own.
class MucpAttempt {
 public:
  MucpAttempt(const CallInfo& info, const MucpRoute& route) : info_(info), node_(*route.node), messages_(info, route, false) {}

  Task<Result<void>> run(codec::MessageRef request, codec::MessageRef reply);
  // Whether the result is what the service answered, in contrast to what happened on the way.
  bool answered() const noexcept { return answered_; }
  retry::Progress progress() const noexcept { return progress_; }

 private:
  const CallInfo& info_;
  MucpNode& node_;
  const MucpMessages messages_;
  bool answered_ = false;
  retry::Progress progress_ = retry::Progress::kSent;
};

}  // namespace micro::client
