#pragma once

#include <micro/call/call.hpp>
#include <micro/call/endpoint.hpp>
#include <micro/call/stream.hpp>
#include <micro/codec/message.hpp>
#include <micro/coro/event.hpp>

#include "http_carried_call.hpp"

namespace micro::rpc {

// A method of any kind, called over an HTTP exchange that can carry its messages: everything but how they look there.
class HttpMethodCall : public HttpCarriedCall, protected MessageStream {
 public:
  void writable() override { writable_.set(); }

 protected:
  // What next() found.
  enum class Next : std::uint8_t { kMessage, kEnd, kNothingYet };

  HttpMethodCall(Worker& worker, const Endpoint& endpoint, Protocol protocol);
  ~HttpMethodCall() = default;

  const Endpoint& endpoint() const noexcept { return *call_.endpoint; }
  // The request comes as a stream of messages, which the handler reads.
  bool reads_stream() const noexcept { return call_.kind == MethodKind::kClientStream || call_.kind == MethodKind::kBidiStream; }
  bool writes_stream() const noexcept { return call_.kind == MethodKind::kServerStream || call_.kind == MethodKind::kBidiStream; }
  // Where the one request message of the other kinds belongs; null for those that read a stream.
  codec::MessageRef request_message() const noexcept { return request_message_.get(); }
  // More has arrived.
  void wake_reader() { readable_.set(); }
  // Calls the method.
  Task<Result<void>> run() override;
  void interrupt() override;

  // Takes a message of the request stream.
  virtual Result<Next> next(codec::MessageRef into) = 0;
  // Sends a message of the reply. The exchange is there.
  virtual Result<void> send_message(codec::MessageRef message) = 0;

 private:
  Task<Result<bool>> read(codec::MessageRef message) final;
  Task<Result<void>> write(codec::MessageRef message) final;
  Task<Result<void>> close_send() final;

  Call call_;
  codec::MessagePtr request_message_;
  codec::MessagePtr reply_message_;
  Event readable_;
  Event writable_;
};

}  // namespace micro::rpc
