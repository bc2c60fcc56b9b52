#pragma once

#include <memory>
#include <optional>

#include <micro/call/call.hpp>
#include <micro/client/client.hpp>
#include <micro/coro/gate.hpp>
#include <micro/retry/retry.hpp>

#include "bounded_context.hpp"
#include "mucp_messages.hpp"
#include "stream_call.hpp"

namespace micro::client {

class MucpSocket;

// A streaming call in go-micro's own RPC, on a connection of its own. After close_send() go-micro's servers do not say when they
// have ended: who has half-closed reads as many replies as there will be.
class MucpStream final : private StreamInfo, public rpc::ClientStream {
 public:
  MucpStream(const CallInfo& call, const MucpRoute& route, rpc::MethodKind kind, Gate::Holder holder);
  ~MucpStream() override;

  // Connects, and sends the message that opens the stream, with `request` behind it when there is one.
  Task<Result<void>> start(const CallInfo& opening, codec::MessageRef request);
  retry::Progress progress() const noexcept { return progress_; }

  Task<Result<bool>> read(codec::MessageRef message) override;
  Task<Result<void>> write(codec::MessageRef message) override;
  Task<Result<void>> close_send() override;
  Task<Result<void>> finish(codec::MessageRef reply) override;

 private:
  Task<Result<void>> send(Buffer bytes);
  // Of what happened to the connection.
  Error failure(const Error& error);
  void end(Result<void> result);

  MucpNode& node_;
  const MucpMessages messages_;
  const rpc::MethodKind kind_;
  Gate::Holder holder_;
  BoundedContext bounded_;
  std::unique_ptr<MucpSocket> socket_;
  CancelCallback closer_;
  retry::Progress progress_ = retry::Progress::kSent;
  bool send_closed_ = false;
  std::optional<Result<void>> result_;
};

}  // namespace micro::client
