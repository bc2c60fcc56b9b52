#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include <micro/mucp/body.hpp>
#include <micro/mucp/head.hpp>

#include "http_method_call.hpp"
#include "memory_share.hpp"

namespace micro::rpc {

// A streaming method called by go-micro RPC: the connection is a pipe of messages until the stream ends. The request that opens
// it has nothing to say but its headers; each further one with its Micro-Stream is a message, or EOS. Made with new; deletes
// itself.
class MucpStreamCall final : public HttpMethodCall {
 public:
  MucpStreamCall(Worker& worker, const Endpoint& endpoint, mucp::Format format);
  void begin(HttpExchange& exchange, HttpHead& head);
  void receive(std::string_view data, bool end) override;
  bool take_message(HttpHead& head) override;
  bool may_leave() const noexcept override { return ended_ && reads_stream(); }

 private:
  ~MucpStreamCall() = default;
  void open();
  void take_up();
  std::string take_first();
  bool hold() noexcept;
  Result<void> decode(const std::string& body, codec::MessageRef into);
  Result<Next> next(codec::MessageRef into) override;
  Result<void> send_message(codec::MessageRef message) override;
  Metadata message_headers(bool has_body) const;
  void end(Result<void> outcome) override;
  void dispose() override { delete this; }

  const mucp::Format format_;
  mucp::Head head_;  // into the headers of request_
  std::deque<std::string> messages_;
  std::string body_;  // of the message under way
  std::size_t queued_ = 0;
  HeldBytes held_;
  bool opened_ = false;        // the opener is complete
  bool end_comes_ = false;     // the message under way is EOS
  bool ended_ = false;         // by the caller
  bool called_ = false;        // the request of a method that takes one has come
  bool headers_sent_ = false;  // the handler's, with the first message
};

}  // namespace micro::rpc
