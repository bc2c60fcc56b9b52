#pragma once

#include <coroutine>
#include <cstddef>
#include <string>

#include <micro/call/call.hpp>
#include <micro/client/client.hpp>
#include <micro/coro/gate.hpp>

#include "exchange.hpp"

namespace micro::client {

// A CallInfo with names of its own: the stream outlives the coroutine that opened it.
struct StreamInfo {
  explicit StreamInfo(const CallInfo& call)
      : service(call.service),
        method(call.method),
        registry_name(call.registry_name),
        mucp_content_type(call.mucp_content_type),
        info(call) {
    info.service = service;
    info.method = method;
    info.registry_name = registry_name;
    info.mucp_content_type = mucp_content_type;
  }
  StreamInfo(const StreamInfo&) = delete;
  StreamInfo& operator=(const StreamInfo&) = delete;
  const std::string service;
  const std::string method;
  const std::string registry_name;
  const std::string mucp_content_type;
  CallInfo info;
};

// A streaming call. Messages that arrive are kept until somebody reads them; the peer may send more when they were read.
class StreamCall final : private StreamInfo, public rpc::ClientStream, private Exchange {
 public:
  StreamCall(const CallInfo& info, rpc::MethodKind kind, Gate::Holder holder);
  ~StreamCall() override;

  // Opens the stream; false: see result().
  bool start(Connection& connection, codec::MessageRef request) { return open(connection, request); }
  using Exchange::progress;
  using Exchange::result;

  Task<Result<bool>> read(codec::MessageRef message) override;
  Task<Result<void>> write(codec::MessageRef message) override;
  Task<Result<void>> close_send() override;
  Task<Result<void>> finish(codec::MessageRef reply) override;

 private:
  struct Wait;
  void take_data(std::string_view data) override;
  Result<void> check_complete() override;
  void on_end() override;
  void on_writable() override;
  void wake(std::coroutine_handle<>& waiter);
  void credit(std::size_t bytes);
  Result<void> may_write() const;
  bool output_full();

  Gate::Holder holder_;
  bool send_closed_ = false;
  std::size_t uncredited_ = 0;  // received and not given back to the peer's window
  std::coroutine_handle<> reading_;
  std::coroutine_handle<> writing_;
};

}  // namespace micro::client
