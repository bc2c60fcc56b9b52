#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <string_view>

#include <micro/call/call.hpp>
#include <micro/call/stream.hpp>
#include <micro/codec/codec.hpp>
#include <micro/context/context.hpp>
#include <micro/http2/events.hpp>
#include <micro/http2/session.hpp>
#include <micro/task/task.hpp>

#include "abandoned.hpp"
#include "flush_waiter.hpp"
#include "grpc_messages.hpp"
#include "memory_share.hpp"
#include "open_calls.hpp"
#include "pace.hpp"

namespace micro::rpc {

class Http2Protocol;
class Worker;

// One gRPC call on a server: an HTTP/2 stream on one side, the middleware and the handler on the other.
//
// Its life has two ends that come in any order: the stream closes (detach) and the handler returns (finish). The object goes back
// to the worker's pool after both. A call whose context is cancelled answers at once; what the handler says later is dropped.
class GrpcCall final : public MessageStream, public FlushWaiter {
 public:
  explicit GrpcCall(Worker& worker);

  // Takes the request's header section. Answers by itself when the call cannot begin; false then.
  bool begin(Http2Protocol& protocol, http2::Stream& stream, const http2::HeaderBlock& block, const Endpoint& endpoint,
             const codec::Codec& codec);
  void receive(std::string_view data, bool end_stream);
  // The stream is gone; `reason` cancels the handler unless it has finished.
  void detach(const Error& reason);
  // Now and then: ends the call when its request arrives too slowly, or its answer is not taken.
  void look(TimePoint now);
  // More may be written.
  void writable();
  void flushed() override { writable(); }

  Task<Result<bool>> read(codec::MessageRef message) override;
  Task<Result<void>> write(codec::MessageRef message) override;
  Task<Result<void>> close_send() override;

 private:
  friend class Http2Protocol;

  // Suspends until wake().
  struct Wait {
    std::coroutine_handle<>& slot;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const noexcept { slot = handle; }
    void await_resume() const noexcept {}
  };

  bool take_fields(const http2::HeaderBlock& block, std::optional<Error>& error);
  void start();
  Detached drive();
  void finish(Reply reply);
  void on_cancel(const Error& reason);
  void answer(const Reply& reply);
  void answer_error(const Error& error);
  void stop_caller();
  bool send_headers();
  Result<void> send_message(codec::MessageRef message);
  void credit(std::size_t unread);
  void wake(std::coroutine_handle<>& slot);
  bool output_full() const noexcept;
  void release();

  Worker& worker_;
  Http2Protocol* protocol_ = nullptr;  // null once the stream is gone
  http2::Stream* stream_ = nullptr;
  const Endpoint* endpoint_ = nullptr;
  Context context_;
  OpenCall open_{context_};
  Call call_;
  codec::MessagePtr request_;
  codec::MessagePtr reply_;
  CancelCallback cancelled_;
  Abandoned::Ticket abandoned_;
  GrpcMessages messages_;
  std::size_t uncredited_ = 0;  // received bytes the peer's window does not know to be read yet
  Pace pace_;
  HeldBytes held_;
  std::coroutine_handle<> reader_waits_;
  std::coroutine_handle<> writer_waits_;
  bool remote_ended_ = false;
  bool headers_sent_ = false;
  bool answered_ = false;   // trailers are out
  bool running_ = false;    // the handler has begun and not returned
  bool finishing_ = false;  // finish() is on the stack
  bool failed_ = false;
};

}  // namespace micro::rpc
